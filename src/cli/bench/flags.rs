//! What can be typed after `neverafk bench`, with the reasons that `--help` gives. What the flags do is the module above.

use std::path::PathBuf;

use clap::Args;

/// Flags of every bench.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Smaller and shorter: a look in seconds instead of a measurement
    #[arg(long)]
    pub quick: bool,
    /// An earlier run's JSON: print the ratio of each figure to it
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Also write a page with the figures and plots there
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    /// Threads for inference [default: `models.threads`]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME")]
    pub embedder: Option<String>,
    /// Chat model [default: `answer.model`]
    #[arg(long, value_name = "NAME")]
    pub chat: Option<String>,
    /// Time for each measurement; slow ones are repeated three times whatever it takes
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// For the inputs
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Also write the inputs there, so that another program can be measured on them (embed, chat, search)
    #[arg(long, value_name = "DIR")]
    pub keep_input: Option<PathBuf>,
}

impl Common {
    /// What the flags say about settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("models.threads", self.threads.map(|threads| threads.to_string())),
            ("models.embedding", self.embedder.clone()),
            ("answer.model", self.chat.clone()),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[derive(Debug, Args)]
pub struct Embed {
    #[command(flatten)]
    pub common: Common,
    /// Texts given at once [default: 1,8,32]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub batch: Vec<usize>,
    /// Tokens of each text [default: 16,64,256]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub tokens: Vec<usize>,
}

#[derive(Debug, Args)]
pub struct Chat {
    #[command(flatten)]
    pub common: Common,
    /// Tokens of the prompt [default: 128,512,1000]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub prompts: Vec<usize>,
    /// Questions at once [default: 1,2,4]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub concurrent: Vec<usize>,
    /// Tokens that are written at most [default: 64]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_tokens: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Search {
    #[command(flatten)]
    pub common: Common,
    /// Numbers of vectors [default: 1000,10000,100000]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub sizes: Vec<usize>,
    /// A million vectors too: takes many minutes and 4 GB
    #[arg(long)]
    pub large: bool,
    /// Of the vectors [default: those of the embedding model]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub dimensions: Option<usize>,
    /// Unlike queries [default: 200]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub queries: Option<usize>,
    /// Neighbours that are looked for
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive)]
    pub top: usize,
}

#[derive(Debug, Args)]
pub struct Ingest {
    #[command(flatten)]
    pub common: Common,
    /// Bytes of each text, lesson and page
    #[arg(long, value_name = "N", default_value = "8192", value_parser = positive)]
    pub document_bytes: usize,
    /// Measure how quickly the installed speech model hears this recording, and nothing else
    #[arg(long, value_name = "FILE")]
    pub recording: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub common: Common,
    /// Clients at once [default: 1,2,4,8,16,32,64]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive)]
    pub clients: Vec<usize>,
}

/// A count of at least one, and within what a machine can hold.
fn positive(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count @ 1..=100_000_000) => Ok(count),
        Ok(_) => Err("a number from 1 to 100000000 is wanted".into()),
        Err(_) => Err("a number is wanted".into()),
    }
}
