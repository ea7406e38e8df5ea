//! Scanned pages as pictures: what is drawn as an image on a page, in grey, as text recognition wants it.
//!
//! Only images are drawn, each where the page puts it; letters and lines are not, because pages that need this have none.
//! A scan in strips, turned or mirrored comes out as it is seen. Recognising is not here.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps,
    InterpreterCache, InterpreterSettings, LumaData, Paint, RenderContent, SoftMask, font::GlyphRun,
    interpret_page, util::TransformExt,
};
use kurbo::{Affine, BezPath, Point, Rect};

use super::{ExtractError, ExtractOptions, guarded, on_large_stack, open};
use bytes::Bytes;

/// A page in grey, row by row from the top; 0 is black.
pub struct Sheet {
    pub width: u32,
    pub height: u32,
    pub grey: Vec<u8>,
}

/// Dots per inch that recognition works best with (Tesseract's manual, "Improving the quality of the output").
const DPI: f64 = 300.0;
/// No side is longer: a poster is read at fewer dots per inch.
pub const LONGEST_SIDE: u32 = 4_500;
const LONGEST: f64 = LONGEST_SIDE as f64;
/// Points of an image that are averaged for one of the page, along each side.
const FINEST: f64 = 4.0;

/// Hands the pages with these numbers to `each`, until it wants no more.
pub fn pictures(
    bytes: &Bytes,
    pages: &[u32],
    options: &ExtractOptions,
    each: &mut (dyn FnMut(u32, Sheet) -> bool + Send),
) -> Result<(), ExtractError> {
    on_large_stack(|| {
        let pdf = open(bytes, options.password)?;
        let cache = InterpreterCache::new();
        for (number, page) in (1..).zip(pdf.pages().iter()).filter(|(number, _)| pages.contains(number)) {
            if (options.stop)() {
                return Err(ExtractError::Stopped);
            }
            let drawn = guarded(|| {
                let (width, height) = page.render_dimensions();
                let mut easel = Easel::new(f64::from(width), f64::from(height));
                let settings = InterpreterSettings {
                    render_content: RenderContent::all(),
                    ..InterpreterSettings::default()
                };
                let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
                let place = page.initial_transform(true).to_kurbo();
                let mut context = Context::new(place, area, &cache, pdf.xref(), settings);
                interpret_page(page, &mut context, &mut easel);
                easel.sheet
            });
            // A page that cannot be drawn was warned of when it was read.
            let Ok(sheet) = drawn else { continue };
            if !each(number, sheet) {
                return Ok(());
            }
        }
        Ok(())
    })
}

/// A page that is being drawn.
struct Easel {
    sheet: Sheet,
    /// From points of the page to dots.
    scale: Affine,
}

impl Easel {
    fn new(width: f64, height: f64) -> Self {
        let (width, height) = (width.max(1.0), height.max(1.0));
        let scale = (DPI / 72.0).min(LONGEST / width.max(height));
        let side = |points: f64| (points * scale).round().clamp(1.0, LONGEST) as u32;
        let (width, height) = (side(width), side(height));
        let grey = vec![255; width as usize * height as usize];
        Self { sheet: Sheet { width, height, grey }, scale: Affine::scale(scale) }
    }

    /// Draws an image of this size; `shade` gives the grey of one of its points and how much it covers.
    fn draw(&mut self, place: Affine, (width, height): (u32, u32), shade: impl Fn(usize) -> (u8, u8)) {
        let place = self.scale * place;
        if width == 0 || height == 0 || place.determinant().abs() < 1e-9 {
            return;
        }
        let (back, area) = (place.inverse(), Rect::new(0.0, 0.0, f64::from(width), f64::from(height)));
        let seen = place.transform_rect_bbox(area);
        let row = |y: f64, most: u32| y.clamp(0.0, f64::from(most)) as u32;
        let columns = row(seen.x0.floor(), self.sheet.width)..row(seen.x1.ceil(), self.sheet.width);
        // How many of its points lie under one of the page's.
        let [a, b, c, d, ..] = back.as_coeffs();
        let fine = a.hypot(b).max(c.hypot(d)).ceil().clamp(1.0, FINEST) as u32;
        for y in row(seen.y0.floor(), self.sheet.height)..row(seen.y1.ceil(), self.sheet.height) {
            for x in columns.clone() {
                let (mut sum, mut count) = (0u32, 0u32);
                let at = (y * self.sheet.width + x) as usize;
                let ground = self.sheet.grey[at];
                for part in 0..fine * fine {
                    let step = |n: u32| (f64::from(n) + 0.5) / f64::from(fine);
                    let dot = Point::new(f64::from(x) + step(part % fine), f64::from(y) + step(part / fine));
                    let from = back * dot;
                    let is_inside = from.x >= 0.0 && from.y >= 0.0 && from.x < area.x1 && from.y < area.y1;
                    let (grey, cover) = if is_inside {
                        shade(from.y as usize * width as usize + from.x as usize)
                    } else {
                        (ground, 0)
                    };
                    let cover = u32::from(cover);
                    sum += (u32::from(grey) * cover + u32::from(ground) * (255 - cover)) / 255;
                    count += 1;
                }
                self.sheet.grey[at] = (sum / count.max(1)) as u8;
            }
        }
    }
}

/// The weights of ITU-R BT.601 for how bright a colour is.
fn grey(rgb: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|n| rgb.get(n).copied().map_or(255, u32::from));
    ((red * 299 + green * 587 + blue * 114) / 1000) as u8
}

/// From points of the decoded image to where the page puts them: it may be smaller than it says.
fn place_of(props: &ImageDrawProps, (x, y): (f32, f32)) -> Affine {
    props.transform * Affine::scale_non_uniform(f64::from(x), f64::from(y))
}

impl Device<'_> for Easel {
    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        match image {
            Image::Stencil(stencil) => stencil.with_stencil(
                |mask, paint| {
                    let ink = match paint {
                        Paint::Color(colour) => grey(&colour.to_rgba().to_rgba8()),
                        Paint::Pattern(_) => 0,
                    };
                    let place = place_of(&props, mask.scale_factors);
                    let cover = |at: usize| (ink, mask.data.get(at).copied().unwrap_or(0));
                    self.draw(place, (mask.width, mask.height), cover);
                },
                None,
            ),
            Image::Raster(raster) => raster.with_rgba(
                |image, alpha| {
                    let size = (image.width(), image.height());
                    let place = place_of(&props, image.scale_factors());
                    // A mask of another size only says where a picture is cut out.
                    let alpha = alpha.filter(|mask: &LumaData| (mask.width, mask.height) == size);
                    let cover = |at: usize| alpha.as_ref().and_then(|mask| mask.data.get(at)).copied();
                    match image {
                        ImageData::Rgb(image) => self.draw(place, size, |at| {
                            (grey(image.data.get(at * 3..).unwrap_or_default()), cover(at).unwrap_or(255))
                        }),
                        ImageData::Luma(image) => self.draw(place, size, |at| {
                            (image.data.get(at).copied().unwrap_or(255), cover(at).unwrap_or(255))
                        }),
                    }
                },
                None,
            ),
        }
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, '_>, _: DrawProps<'_>, _: &DrawMode) {}
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_lands_where_the_page_puts_it() {
        // A page of one inch, with a picture of two black and two white points in its lower right quarter.
        let mut easel = Easel::new(72.0, 72.0);
        assert_eq!((easel.sheet.width, easel.sheet.height), (300, 300));
        let place = Affine::new([18.0, 0.0, 0.0, 18.0, 36.0, 36.0]);
        easel.draw(place, (2, 2), |at| (if at == 0 || at == 3 { 0 } else { 200 }, 255));
        let dot = |x: usize, y: usize| easel.sheet.grey[y * 300 + x];
        assert_eq!([dot(10, 10), dot(160, 160), dot(290, 160), dot(290, 290)], [255, 0, 200, 0]);
        // Upside down, and half seen through.
        let turned = Affine::new([-18.0, 0.0, 0.0, -18.0, 36.0, 36.0]);
        let mut easel = Easel::new(72.0, 72.0);
        easel.draw(turned, (2, 2), |at| (0, if at == 0 { 255 } else { 128 }));
        let dot = |x: usize, y: usize| easel.sheet.grey[y * 300 + x];
        assert_eq!([dot(140, 140), dot(10, 10), dot(200, 200)], [0, 127, 255]);
        // Nothing that has no size, and nothing off the page.
        easel.draw(Affine::scale(0.0), (2, 2), |_| (0, 255));
        easel.draw(Affine::translate((1e9, 1e9)), (2, 2), |_| (0, 255));
        assert_eq!(Easel::new(1e9, 1.0).sheet.width, 4_500);
    }
}
