//! The machine that something was measured on, as far as it tells without privileges.

use serde::{Deserialize, Serialize};

/// What timings depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The processor's own name; empty where the system does not tell.
    pub cpu: String,
    /// The widest instruction set that the kernels here use.
    pub instructions: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// 0 where the system does not tell.
    pub memory_mib: u64,
    pub os: String,
    pub arch: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let info = read("/proc/cpuinfo");
        let memory = read("/proc/meminfo");
        let release = read("/etc/os-release");
        Self {
            cpu: field(&info, "model name", ':').unwrap_or_default().to_owned(),
            instructions: crate::app::doctor::instructions().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: field(&memory, "MemTotal", ':').and_then(kibibytes).map_or(0, |kib| kib / 1024),
            os: field(&release, "PRETTY_NAME", '=')
                .map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches('"').to_owned()),
            arch: std::env::consts::ARCH.to_owned(),
        }
    }
}

/// Files that only Linux has; what is not there is not told.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str, separator: char) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(separator));
    pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

fn kibibytes(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_this_machine_has_cores() {
        let text = "MemTotal:       24576 kB\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(field(text, "model name", ':'), Some("Some CPU @ 2 GHz"));
        assert_eq!(field(text, "MemTotal", ':').and_then(kibibytes), Some(24576));
        assert_eq!(field(text, "absent", ':'), None);
        let here = Machine::here();
        assert!(here.cores > 0 && !here.instructions.is_empty() && !here.arch.is_empty());
    }
}
