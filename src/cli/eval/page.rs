//! `--out report.html`: writing a page, for `eval` and `bench`.

use std::path::Path;

use super::{Output, Problem};
use crate::eval::report::html::Page;
use crate::problem::Kind;

/// Writes the file whole or not at all, and says where it is.
pub fn write(path: &Path, page: &Page, output: &Output) -> Result<(), Problem> {
    save(path, page.html().as_bytes(), "--out")?;
    output.say(format!("report in {}", path.display()));
    Ok(())
}

/// What was typed, for the page: whoever reads it can repeat it.
pub fn command() -> String {
    let quoted = |argument: String| {
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) { argument } else { format!("'{argument}'") }
    };
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let program = arguments.next().unwrap_or_default();
    let program =
        Path::new(&program).file_name().map_or(program.clone(), |name| name.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments.map(quoted)).collect::<Vec<_>>().join(" ")
}

/// A file under its name only when it is whole.
pub fn save(path: &Path, content: &[u8], flag: &str) -> Result<(), Problem> {
    let wrong = |error: std::io::Error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Problem::new(Kind::Invalid, "file_unwritable", message, format!("name another file with `{flag}`"))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(folder).map_err(wrong)?;
    std::io::Write::write_all(&mut file, content).map_err(wrong)?;
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

/// Temporary files are for their owner alone; a report is for whoever may read the folder.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}
