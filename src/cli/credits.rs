//! `creator credits` and `creator findings`: what a creator's answers may cost, and payments that fit nobody.
//!
//! Works where answers have no price too, so that credits can be given before they count. `creator.rs` parses.

use serde_json::{Value, json};

use super::output::Output;
use crate::app::App;
use crate::billing::Standing;
use crate::domain::{CreatorId, EntryKind};
use crate::events::rfc3339;
use crate::problem::{Kind, Problem};

/// Changes that are shown.
const LAST: usize = 20;

/// What to add to the ledger, if anything.
pub struct Change {
    pub grant: Option<u32>,
    pub adjust: Option<i64>,
    pub reason: Option<String>,
}

pub async fn run(id: &CreatorId, change: Change, app: &App, output: &Output) -> Result<(), Problem> {
    let kind = match (change.grant, change.adjust) {
        (Some(credits), _) => Some((EntryKind::Grant, i64::from(credits))),
        (None, Some(credits)) => Some((EntryKind::Adjust, credits)),
        (None, None) => None,
    };
    if let Some((kind, credits)) = kind {
        let reason: String =
            change.reason.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
        if reason.trim().is_empty() {
            return Err(Problem::new(
                Kind::Invalid,
                "reason_missing",
                "the ledger wants to know why",
                "say so with `--reason TEXT`",
            ));
        }
        let entry = app.change_credits(id, kind, credits, reason.clone()).await?;
        let target = format!("{credits}: {reason}");
        let (fresh, now) = (crate::app::secret()?, crate::app::now());
        app.accounts().note(Some(id), "command line", "billing.credits", &target, "", &fresh, now).await?;
        if !output.json {
            output.data(format!("entry {}: {credits:+} credits, {reason}", entry.number));
        }
    }
    show(id, app, output).await
}

async fn show(id: &CreatorId, app: &App, output: &Output) -> Result<(), Problem> {
    let standing = app.standing(id).await?;
    let entries = app.store().ledger(id, None, LAST).await?;
    let balance = app.store().account(id, 0, Vec::new()).await?.wallet.balance;
    if output.json {
        return output.document(&json!({
            "creator_id": id, "bought": balance, "credits": standing.as_ref().map(self::json),
            "entries": entries,
        }));
    }
    match &standing {
        Some(standing) => say(standing, output),
        None => {
            output.data(format!("bought         {balance}"));
            output.say("answers have no price on this server: `billing.enabled` is off");
        }
    }
    for entry in &entries {
        let why = entry.served.map_or(entry.reason.as_str(), |served| served.as_str());
        output.data(format!(
            "{:>6}  {}  {:<6} {:>+8} bought {:>6} of the plan  {why}",
            entry.number,
            rfc3339(entry.at),
            entry.kind.as_str(),
            entry.credits,
            entry.included
        ));
    }
    Ok(())
}

/// Lines for people.
pub fn say(standing: &Standing, output: &Output) {
    let (account, endless) = (&standing.account, "without end".to_owned());
    let count = |number: Option<u64>| number.map_or_else(|| endless.clone(), |number| number.to_string());
    let includes = count(standing.plan.answers);
    output.data(format!("plan           {} ({includes} a month)", standing.plan.name));
    output.data(format!(
        "used           {} in {}, for {} answers",
        account.month.credits(),
        standing.month_text(),
        account.month.answers()
    ));
    output.data(format!("left           {} ({} bought)", count(standing.left), account.wallet.balance));
    if let Some(held) = &standing.subscription {
        output.data(format!("subscription   {}, {}", held.told.id, held.told.state));
    }
}

/// The same for programs.
pub fn json(standing: &Standing) -> Value {
    json!({
        "plan": standing.plan.id, "month": standing.month_text(), "included": standing.plan.answers,
        "used": standing.account.month.credits(), "answers": standing.account.month.answers(),
        "bought": standing.account.wallet.balance, "left": standing.left,
        "subscription": standing.subscription.as_ref().map(|held| json!({
            "id": held.told.id, "state": held.told.state,
        })),
    })
}

/// Says that a subscription goes on, when its creator is about to go.
pub async fn warn(id: &CreatorId, app: &App, output: &Output) -> Result<(), Problem> {
    let now = crate::app::now();
    for held in app.store().subscriptions(id).await? {
        if held.counts(now) {
            output.say(format!(
                "subscription {} is {} and goes on at Lemon Squeezy: end it there",
                held.told.id, held.told.state
            ));
        }
    }
    Ok(())
}

pub async fn findings(app: &App, output: &Output) -> Result<(), Problem> {
    let findings = app.store().findings().await?;
    if output.json {
        return output.document(&json!({ "findings": findings }));
    }
    if findings.is_empty() {
        output.say("every message of the payment provider had its place");
    }
    for finding in &findings {
        let whose = finding.creator.as_ref().map_or("nobody", |creator| creator.as_str());
        output.data(format!(
            "{}  {} of {}, for {whose}: {}",
            rfc3339(finding.at),
            finding.event,
            finding.subject,
            finding.why
        ));
    }
    Ok(())
}
