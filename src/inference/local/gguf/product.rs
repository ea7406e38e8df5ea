//! Products of 32-bit matrices, by the `gemm` crate, behind checked views.
//!
//! In: views of slices. Out: written into a slice. Called by the matrices and the attention.

use gemm::Parallelism;

/// A matrix that lies in a slice: element (r, c) is at `r * row_stride + c * column_stride`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub data: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// Rows one after the other.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// Whether a product uses the threads of the pool it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Alone,
    Pool,
}

/// `out = left * right`; rows of `out` are `out_stride` apart.
pub fn multiply(out: &mut [f32], out_stride: usize, left: View<'_>, right: View<'_>, share: Share) {
    assert_eq!(left.columns, right.rows, "the inner sizes are equal");
    let (m, n, k) = (left.rows, right.columns, left.columns);
    if m == 0 || n == 0 {
        return;
    }
    assert!((m - 1) * out_stride + n <= out.len() && n <= out_stride, "the result fits");
    for view in [left, right] {
        let reach = view.rows.saturating_sub(1) * view.row_stride
            + view.columns.saturating_sub(1) * view.column_stride;
        assert!(reach < view.data.len(), "the view lies in its slice");
    }
    let parallelism = match share {
        Share::Pool if rayon::current_num_threads() > 1 => Parallelism::Rayon(0),
        _ => Parallelism::None,
    };
    // SAFETY: all elements of the three matrices lie in their slices, as asserted, and `out` is borrowed
    // mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            false,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_product_by_hand() {
        let left = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let right = [1.0, 0.0, 2.0, 0.0, 1.0, 1.0];
        let mut out = [9.0; 6];
        // [1 2 3; 4 5 6] times the transpose of [1 0 2; 0 1 1], into rows that are three apart.
        multiply(&mut out, 3, View::new(&left, 2, 3), View::new(&right, 2, 3).transposed(), Share::Alone);
        assert_eq!(out, [7.0, 5.0, 9.0, 16.0, 11.0, 9.0]);
    }
}
