//! Every combination of settings that are to be compared in one call.

/// Settings by dotted name, with their values.
pub type Variant = Vec<(&'static str, String)>;

/// What people write where a setting names no model.
pub const OFF: &str = "off";

/// All combinations of `choices`, the first choice changing slowest, so that what is dear to change (the embedding model)
/// changes least often. A setting without values is left as it is; without any choice there is one, empty combination.
pub fn combinations(choices: &[(&'static str, Vec<String>)]) -> Vec<Variant> {
    let mut all: Vec<Variant> = vec![Vec::new()];
    for (name, values) in choices.iter().filter(|(_, values)| !values.is_empty()) {
        all = all
            .into_iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let mut variant = before.clone();
                    variant.push((*name, value.clone()));
                    variant
                })
            })
            .collect();
    }
    all
}

/// A combination for people: the settings' last names with their values.
pub fn label(variant: &Variant) -> String {
    let short = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let shown = |value: &str| if value.is_empty() { OFF.to_owned() } else { value.to_owned() };
    let parts: Vec<String> =
        variant.iter().map(|(name, value)| format!("{} {}", short(name), shown(value))).collect();
    if parts.is_empty() { "as configured".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_once_the_first_slowest() {
        let values = |list: &[&str]| list.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let choices = [
            ("models.embedding", values(&["static", "mini"])),
            ("answer.model", values(&[])),
            ("answer.fusion", values(&["score", "rrf"])),
        ];
        let labels: Vec<String> = combinations(&choices).iter().map(label).collect();
        assert_eq!(
            labels,
            [
                "embedding static, fusion score",
                "embedding static, fusion rrf",
                "embedding mini, fusion score",
                "embedding mini, fusion rrf"
            ]
        );
        let without = combinations(&[("answer.reranker", values(&["", "mini"]))]);
        assert_eq!(without.iter().map(label).collect::<Vec<_>>(), ["reranker off", "reranker mini"]);
        assert_eq!(combinations(&[]).iter().map(label).collect::<Vec<_>>(), ["as configured"]);
    }
}
