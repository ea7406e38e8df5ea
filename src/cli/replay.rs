//! `replay`: a kept answer once more, and the first stage whose result is another one.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::output::Output;
use crate::app::App;
use crate::problem::Problem;

/// Characters of a result that are shown to people.
const SHOWN: usize = 400;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Replay {
    /// The answer's id, as `message_id` in answers and `id` in lists of conversations
    message: String,
}

pub async fn run(replay: Replay, app: &App, output: &Output) -> Result<(), Problem> {
    let found = app.replay(&replay.message.parse()?).await?;
    if output.json {
        return output.document(&found);
    }
    output.say(format!("asked {}: {}", found.asked_at, found.question));
    if let [Some(then), Some(now)] = found.content
        && then != now
    {
        output.say(format!("the content has changed {} times since", now.saturating_sub(then)));
    }
    for changed in &found.changed {
        output.say(format!("{} was {} and is {}", changed.what, shown(&changed.then), shown(&changed.now)));
    }
    for stage in &found.stages {
        output.data(format!("{:<9} {}", stage.stage, if stage.same { "same" } else { "differs" }));
        if Some(stage.stage) == found.first_difference {
            output.data(format!("  then: {}", shown(&stage.then)));
            output.data(format!("  now:  {}", shown(&stage.now)));
        }
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
