//! What a figure was measured on: processor, instruction set, cores, memory, system. And what this process holds.
//!
//! Read from what the system says; where it says nothing a field is absent, never guessed.

use serde::{Deserialize, Serialize};

/// The hardware and the system. Two reports are compared with a warning when these differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub processor: String,
    /// The widest instruction set that the program's own kernels found and use.
    pub instructions: String,
    /// Cores that this process may use.
    pub cores: usize,
    pub memory_mb: Option<u64>,
    pub system: String,
    /// Load of the last minute when the run began: how much else was going on. Not compared.
    pub load: Option<f64>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        Self {
            processor: processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            instructions: crate::app::doctor::instructions().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: memory_mb(),
            system: system(),
            load: file("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let memory = self.memory_mb.map(|mb| format!(", {:.1} GB", mb as f64 / 1024.0)).unwrap_or_default();
        let load = self.load.map(|load| format!(", load {load:.2}")).unwrap_or_default();
        let Self { processor, instructions, cores, system, .. } = self;
        let word = if *cores == 1 { "core" } else { "cores" };
        format!("{processor}, {instructions}, {cores} {word}{memory}, {system}{load}")
    }
}

/// Bytes of this process in memory, where the system tells.
pub fn resident() -> Option<u64> {
    resident_of("/proc/self/status")
}

/// The same of another process.
pub fn resident_of_process(id: u32) -> Option<u64> {
    resident_of(&format!("/proc/{id}/status"))
}

fn resident_of(path: &str) -> Option<u64> {
    Some(kilobytes(&file(path)?, "VmRSS:")? * 1024)
}

/// Gives freed memory back to the system, so that the next growth of [`resident`] is not hidden by reuse.
pub fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointers, may be called at any time from any thread (malloc_trim(3): MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}

fn processor() -> Option<String> {
    if let Some(text) = file("/proc/cpuinfo") {
        let named = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        return named.map(|(_, name)| name.trim().to_owned());
    }
    asked("machdep.cpu.brand_string")
}

fn memory_mb() -> Option<u64> {
    if let Some(text) = file("/proc/meminfo") {
        return kilobytes(&text, "MemTotal:").map(|kb| kb / 1024);
    }
    asked("hw.memsize")?.parse::<u64>().ok().map(|bytes| bytes >> 20)
}

fn system() -> String {
    let named = file("/etc/os-release").and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    format!("{} {}", named.unwrap_or_else(|| std::env::consts::OS.to_owned()), std::env::consts::ARCH)
}

/// What `sysctl` answers, on systems without `/proc`.
fn asked(name: &str) -> Option<String> {
    if cfg!(target_os = "linux") {
        return None;
    }
    let output = std::process::Command::new("sysctl").args(["-n", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Some(text).filter(|text| output.status.success() && !text.is_empty())
}

fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_system_are_read() {
        let text = "Name:\tx\nVmRSS:\t   12345 kB\nMemTotal:       24000000 kB\n";
        assert_eq!((kilobytes(text, "VmRSS:"), kilobytes(text, "VmSwap:")), (Some(12_345), None));
        let here = Machine::here();
        assert!(here.cores > 0 && !here.processor.is_empty() && here.line().contains(&here.instructions));
        if cfg!(target_os = "linux") {
            assert!(resident().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
