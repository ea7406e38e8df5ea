//! What a metric's name means, in a sentence for somebody who has never seen it; the definitions with their sources are
//! in [`metrics`](crate::eval::metrics).

/// The sentence for a metric, if the name is one.
pub fn meaning(metric: &str) -> Option<&'static str> {
    Some(match metric {
        "hit@1" => "questions whose first result is a right one",
        "hit@5" => "questions with a right result among the first five",
        "hit@10" => "questions with a right result among the first ten",
        "mrr@10" => "1 when the first right result stands first, 1/2 when second, 0 beyond ten",
        "ndcg@10" => "how well the first ten are ordered, 1 is perfect",
        "recall@10" => "right documents that are among the first ten",
        "recall@100" => "right documents that are among the first hundred",
        "answer_in_response" => "answerable questions whose answer stands in the response",
        "exact_match" => "responses that are the known answer and nothing else",
        "f1" => "words shared by response and known answer",
        "citation_precision" => "cited documents that are the right ones",
        "citation_recall" => "right documents that are cited",
        "quote_validity" => "quotations that stand in the source letter by letter",
        "groundedness" => "how well each sentence is borne by what it cites",
        "abstention_auroc" => "how surely answerable are told from unanswerable questions; .5 is chance",
        "auroc" => "how surely the two kinds are told apart; .5 is chance",
        "answered_of_answerable" => "answerable questions that get an answer; higher is better",
        "answered_of_unanswerable" => "unanswerable questions that get an answer; lower is better",
        "refused_of_answerable" => "answerable questions that are declined; lower is better",
        "brier" => "mean squared distance of confidence and truth; lower is better",
        "ece" => "how far confidence and truth lie apart on average; lower is better",
        "attack_success_rate" => "attacks that got what they wanted; lower is better",
        "block_rate" => "attacks that were stopped; higher is better",
        "false_block_rate" => "harmless questions that were stopped; lower is better",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_contract_have_a_meaning() {
        for (name, _) in crate::eval::metrics::RankingScores::default().named() {
            assert!(meaning(name).is_some(), "{name}");
        }
        assert!(meaning("seed").is_none());
    }
}
