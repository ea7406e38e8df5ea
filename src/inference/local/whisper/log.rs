//! What whisper.cpp and ggml say, into the log of the program instead of standard error.

use std::ffi::{CStr, c_char, c_uint, c_void};
use std::panic::catch_unwind;
use std::sync::Once;

/// Redirects once for the process; call it before anything is loaded.
pub fn redirect() {
    static ONCE: Once = Once::new();
    // SAFETY: the callback is safe to call from C: it does not unwind, and it needs no user data.
    ONCE.call_once(|| unsafe { whisper_rs::set_log_callback(Some(line), std::ptr::null_mut()) });
}

/// ggml's levels: 3 is a warning, 4 an error. Both concern the library's inside; what matters to people comes back as an
/// error of the call, so here they are for whoever looks for a cause.
unsafe extern "C" fn line(level: c_uint, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: the library hands a string that ends with a zero and lives during the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    // A subscriber may panic; that must not cross into C. Then the line is lost.
    let _ = catch_unwind(|| match level {
        3 | 4 => tracing::debug!(target: "neverafk::whisper", "{text}"),
        _ => tracing::trace!(target: "neverafk::whisper", "{text}"),
    });
}
