//! Products with weight matrices that are packed once: the work horse of `bert.rs`.
//!
//! In: rows of activations, a [`Packed`] matrix, a bias. Out: rows. One small kernel does everything: it multiplies
//! up to six rows by a panel of 16 columns in registers. AVX2 with FMA is chosen at run time where the processor has
//! it; elsewhere the same loops in plain Rust do the work, and the tests hold both against each other.
//!
//! Where the processor widens 16-bit floats for free, weights are kept in 16 bits: a single question is bound by the
//! memory that the weights come from. Sums stay in 32 bits, and vectors agree with the original to six digits.

use half::f16;

/// Columns of a panel: two AVX2 registers.
pub const PANEL: usize = 16;
/// Rows that a kernel takes at once: 6 × 2 accumulators leave four of the 16 registers for operands.
const ROWS: usize = 6;
/// Floats of activations that are walked for all panels before the next rows come: 512 KiB, within a common L2.
const BLOCK: usize = 128 * 1024;

/// A matrix of `depth` × `columns`, stored panel after panel, each `depth` × [`PANEL`].
pub struct Packed {
    panels: Panels,
    depth: usize,
    columns: usize,
}

enum Panels {
    Single(Vec<f32>),
    Half(Vec<f16>),
}

/// `depth` × [`PANEL`] numbers in one of the two widths.
#[derive(Clone, Copy)]
pub enum Panel<'a> {
    Single(&'a [f32]),
    Half(&'a [f16]),
}

impl Packed {
    /// Packs weights as checkpoints store them: `columns` rows of `depth` numbers. `columns` is a multiple of 16.
    pub fn from_rows(weights: &[f32], columns: usize, depth: usize) -> Self {
        assert_eq!(weights.len(), columns * depth, "the shape is that of the weights");
        assert_eq!(columns % PANEL, 0, "callers check the width when they load");
        let mut panels = vec![0f32; columns * depth];
        pack_transposed(weights, depth, columns, depth, &mut panels);
        // Numbers beyond the range of 16 bits do not occur in trained weights; if they do, they stay as they are.
        let small = panels.iter().all(|w| w.abs() < f16::MAX.to_f32());
        let panels = if small && widens_halves() {
            Panels::Half(panels.into_iter().map(f16::from_f32).collect())
        } else {
            Panels::Single(panels)
        };
        Self { panels, depth, columns }
    }

    /// `out[r] = bias + rows[r] · self` for each row.
    pub fn multiply(&self, rows: &[f32], bias: &[f32], out: &mut [f32]) {
        let count = rows.len() / self.depth;
        assert!(
            rows.len() == count * self.depth && bias.len() == self.columns,
            "whole rows, a bias for each column"
        );
        assert_eq!(out.len(), count * self.columns, "a place for each result");
        let block = (BLOCK / self.depth / ROWS).max(1) * ROWS;
        for (rows, out) in rows.chunks(block * self.depth).zip(out.chunks_mut(block * self.columns)) {
            for p in 0..self.columns / PANEL {
                let from = View { data: rows, stride: self.depth };
                let to = ViewMut { data: &mut out[p * PANEL..], stride: self.columns };
                panel_product(
                    from,
                    rows.len() / self.depth,
                    self.panel(p),
                    Some(&bias[p * PANEL..][..PANEL]),
                    to,
                );
            }
        }
    }

    fn panel(&self, p: usize) -> Panel<'_> {
        let size = self.depth * PANEL;
        match &self.panels {
            Panels::Single(all) => Panel::Single(&all[p * size..][..size]),
            Panels::Half(all) => Panel::Half(&all[p * size..][..size]),
        }
    }
}

impl Panel<'_> {
    fn len(&self) -> usize {
        match self {
            Panel::Single(panel) => panel.len(),
            Panel::Half(panel) => panel.len(),
        }
    }
}

/// Whether the kernel for 16-bit weights can run here.
fn widens_halves() -> bool {
    #[cfg(target_arch = "x86_64")]
    return has_avx2();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// AVX2, FMA and F16C came to processors together, but are told separately.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
}

/// Rows at a stride within a larger matrix.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub data: &'a [f32],
    pub stride: usize,
}

/// Rows at a stride within a larger matrix, to write.
pub struct ViewMut<'a> {
    pub data: &'a mut [f32],
    pub stride: usize,
}

/// Packs `columns` rows of `depth` numbers, `stride` apart, as panels of their transpose; the last panel is filled
/// up with zeros. `panels` has `depth` × the columns rounded up to [`PANEL`].
pub fn pack_transposed(rows: &[f32], stride: usize, columns: usize, depth: usize, panels: &mut [f32]) {
    for (p, panel) in panels.chunks_exact_mut(depth * PANEL).enumerate() {
        for c in 0..PANEL {
            let column = p * PANEL + c;
            if column < columns {
                for (d, &value) in rows[column * stride..][..depth].iter().enumerate() {
                    panel[d * PANEL + c] = value;
                }
            } else {
                panel.iter_mut().skip(c).step_by(PANEL).for_each(|v| *v = 0.0);
            }
        }
    }
}

/// Packs `depth` rows of `columns` numbers, `stride` apart, as panels. `columns` is a multiple of 16.
pub fn pack_straight(rows: &[f32], stride: usize, columns: usize, depth: usize, panels: &mut [f32]) {
    for (p, panel) in panels.chunks_exact_mut(depth * PANEL).take(columns / PANEL).enumerate() {
        for (d, line) in panel.chunks_exact_mut(PANEL).enumerate() {
            line.copy_from_slice(&rows[d * stride + p * PANEL..][..PANEL]);
        }
    }
}

/// `to[r][..16] = bias + from[r][..depth] · panel` for `count` rows; `depth` is that of the panel.
pub fn panel_product(from: View, count: usize, panel: Panel, bias: Option<&[f32]>, to: ViewMut) {
    if count == 0 {
        return;
    }
    let depth = panel.len() / PANEL;
    assert!(panel.len() == depth * PANEL && bias.is_none_or(|b| b.len() == PANEL), "one whole panel");
    assert!(from.data.len() >= (count - 1) * from.stride + depth, "every row is there");
    assert!(to.data.len() >= (count - 1) * to.stride + PANEL, "every result has its place");
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the processor has the features, and the assertions above cover every address that is touched.
        unsafe { avx2::product(from, count, panel, bias, to) };
        return;
    }
    match panel {
        Panel::Single(panel) => portable_product(from, count, panel, f32::clone, bias, to),
        Panel::Half(panel) => portable_product(from, count, panel, |w| w.to_f32(), bias, to),
    }
}

/// The same in plain Rust: what processors without AVX2 run, and what the tests compare with.
fn portable_product<W>(
    from: View,
    count: usize,
    panel: &[W],
    widen: impl Fn(&W) -> f32,
    bias: Option<&[f32]>,
    to: ViewMut,
) {
    for r in 0..count {
        let mut sum = [0f32; PANEL];
        if let Some(bias) = bias {
            sum.copy_from_slice(bias);
        }
        for (&a, line) in from.data[r * from.stride..].iter().zip(panel.chunks_exact(PANEL)) {
            for (s, b) in sum.iter_mut().zip(line) {
                *s += a * widen(b);
            }
        }
        to.data[r * to.stride..][..PANEL].copy_from_slice(&sum);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm256_broadcast_ss, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_setzero_ps, _mm256_storeu_ps,
    };

    use super::{PANEL, Panel, ROWS, View, ViewMut};

    /// # Safety
    /// The processor has AVX2, FMA and F16C; `from` holds `count` rows as deep as the panel, `to` has 16 places for each.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn product(from: View, count: usize, panel: Panel, bias: Option<&[f32]>, to: ViewMut) {
        // SAFETY: this function's own contract; the width of the numbers is that of the slice.
        unsafe {
            match panel {
                Panel::Single(panel) => {
                    rows::<false>(from, count, panel.as_ptr().cast(), panel.len(), bias, to)
                }
                Panel::Half(panel) => rows::<true>(from, count, panel.as_ptr().cast(), panel.len(), bias, to),
            }
        }
    }

    /// # Safety
    /// As for [`product`]; `panel` points to `size` numbers of 16 bits if `HALF`, of 32 if not.
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn rows<const HALF: bool>(
        from: View,
        count: usize,
        panel: *const u8,
        size: usize,
        bias: Option<&[f32]>,
        to: ViewMut,
    ) {
        let depth = size / PANEL;
        let mut at = 0;
        while at < count {
            let left = count - at;
            // Seven to ten rows are halved rather than cut into six and a rest that keeps few registers busy.
            let take = if (7..=10).contains(&left) { left.div_ceil(2) } else { left.min(ROWS) };
            // SAFETY: row `at` and the `take - 1` after it are within both, by this function's own contract.
            unsafe {
                let a = from.data.as_ptr().add(at * from.stride);
                let c = to.data.as_mut_ptr().add(at * to.stride);
                match take {
                    6 => tile::<6, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                    5 => tile::<5, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                    4 => tile::<4, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                    3 => tile::<3, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                    2 => tile::<2, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                    _ => tile::<1, HALF>(a, from.stride, panel, depth, bias, c, to.stride),
                }
            }
            at += take;
        }
    }

    /// `R` rows by one panel, all sums in registers.
    ///
    /// # Safety
    /// As for [`rows`], for the rows at `a` and the places at `c`.
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn tile<const R: usize, const HALF: bool>(
        a: *const f32,
        stride: usize,
        panel: *const u8,
        depth: usize,
        bias: Option<&[f32]>,
        c: *mut f32,
        out: usize,
    ) {
        // SAFETY: a bias is 16 long, and the caller vouches for the panel, `a` and `c`.
        unsafe {
            let first = match bias {
                Some(b) => [_mm256_loadu_ps(b.as_ptr()), _mm256_loadu_ps(b.as_ptr().add(8))],
                None => [_mm256_setzero_ps(); 2],
            };
            let mut sums = [first; R];
            for d in 0..depth {
                let (low, high) = if HALF {
                    let b = panel.cast::<u16>().add(d * PANEL);
                    (
                        _mm256_cvtph_ps(_mm_loadu_si128(b.cast())),
                        _mm256_cvtph_ps(_mm_loadu_si128(b.add(8).cast())),
                    )
                } else {
                    let b = panel.cast::<f32>().add(d * PANEL);
                    (_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8)))
                };
                for (r, sum) in sums.iter_mut().enumerate() {
                    let x = _mm256_broadcast_ss(&*a.add(r * stride + d));
                    sum[0] = _mm256_fmadd_ps(x, low, sum[0]);
                    sum[1] = _mm256_fmadd_ps(x, high, sum[1]);
                }
            }
            for (r, sum) in sums.iter().enumerate() {
                _mm256_storeu_ps(c.add(r * out), sum[0]);
                _mm256_storeu_ps(c.add(r * out + 8), sum[1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that repeat only after a long while.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn products_agree_with_the_definition_for_every_number_of_rows() {
        let (depth, columns) = (37, 48);
        let (weights, bias) = (numbers(depth * columns, 1), numbers(columns, 2));
        let packed = Packed::from_rows(&weights, columns, depth);
        for count in 0..20 {
            let rows = numbers(count * depth, 3 + count as u32);
            let mut out = vec![f32::NAN; count * columns];
            packed.multiply(&rows, &bias, &mut out);
            for (row, got) in rows.chunks_exact(depth).zip(out.chunks_exact(columns)) {
                for (c, &got) in got.iter().enumerate() {
                    let sum: f64 =
                        (0..depth).map(|d| f64::from(row[d]) * f64::from(weights[c * depth + d])).sum();
                    // Weights of 16 bits have eleven binary digits; 37 of them are summed.
                    assert!((f64::from(got) - sum - f64::from(bias[c])).abs() < 4e-3, "{count} rows");
                }
            }
        }
    }

    #[test]
    fn the_chosen_kernel_agrees_with_the_portable_one_in_both_widths() {
        for (count, depth) in [(1, 1), (6, 32), (7, 33), (13, 384), (250, 32)] {
            let (from, panel, bias) =
                (numbers(count * depth, 9), numbers(depth * PANEL, 8), numbers(PANEL, 7));
            let halves: Vec<f16> = panel.iter().map(|w| f16::from_f32(*w)).collect();
            let from = View { data: &from, stride: depth };
            let check = |panel: Panel, portable: &dyn Fn(ViewMut)| {
                let (mut a, mut b) = (vec![0f32; count * PANEL], vec![0f32; count * PANEL]);
                panel_product(from, count, panel, Some(&bias), ViewMut { data: &mut a, stride: PANEL });
                portable(ViewMut { data: &mut b, stride: PANEL });
                assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-4), "{count} rows of {depth}");
            };
            check(Panel::Single(&panel), &|to| {
                portable_product(from, count, &panel, f32::clone, Some(&bias), to)
            });
            let widen = |w: &f16| w.to_f32();
            check(Panel::Half(&halves), &|to| portable_product(from, count, &halves, widen, Some(&bias), to));
        }
    }

    #[test]
    fn weights_beyond_sixteen_bits_are_kept() {
        let mut weights = vec![0f32; 16];
        weights[3] = 1e6;
        let mut out = [0f32; 16];
        Packed::from_rows(&weights, 16, 1).multiply(&[2.0], &[1.0; 16], &mut out);
        assert_eq!((out[3], out[4]), (2e6 + 1.0, 1.0));
    }

    #[test]
    fn both_ways_of_packing_give_the_same_panels() {
        let (depth, columns) = (5, 32);
        let straight = numbers(depth * columns, 4);
        let mut turned = vec![0f32; depth * columns];
        for (i, &value) in straight.iter().enumerate() {
            turned[i % columns * depth + i / columns] = value;
        }
        let (mut a, mut b) = (vec![0f32; depth * columns], vec![0f32; depth * columns]);
        pack_straight(&straight, columns, columns, depth, &mut a);
        pack_transposed(&turned, depth, columns, depth, &mut b);
        assert_eq!(a, b);
        pack_transposed(&turned, depth, 17, depth, &mut b);
        assert!(b[depth * PANEL..].chunks_exact(PANEL).all(|line| line[1..].iter().all(|&v| v == 0.0)));
    }
}
