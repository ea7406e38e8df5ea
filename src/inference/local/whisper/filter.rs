//! What Whisper writes where nothing was said: sounds in brackets, a phrase over and over, closing words of videos.
//!
//! Trained on captions from the web, the models repeat what captions say into silence (Koenecke et al., "Careless Whisper",
//! 2024). Pure functions; a segment goes in with how sure the model was, what is left of it comes out.

/// What a model said, before it is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub text: String,
    /// How likely the model thinks that there was no speech.
    pub no_speech: f32,
    /// Mean probability of its tokens.
    pub sure: f32,
}

/// Follows the segments of one recording.
#[derive(Debug, Default)]
pub struct Filter {
    last: String,
    times: usize,
}

/// A segment said this often in a row is said once.
const SAME_SEGMENTS: usize = 3;
/// A phrase said this often in a row within a segment is said once; people say a word three times.
const SAME_PHRASES: usize = 4;
/// Words of the longest phrase that is looked for.
const PHRASE_WORDS: usize = 12;

/// Credits that stand in captions and in no lesson; with these words a segment is dropped whatever the model thinks.
const CREDITS: &[&str] = &[
    "amara.org",
    "subtitles by",
    "subtitled by",
    "captions by",
    "transcribed by",
    "untertitel im auftrag",
    "untertitelung des zdf",
    "untertitel von",
    "sous-titrage",
    "sous-titres réalisés",
    "subtítulos realizados",
    "subtítulos por la comunidad",
    "legendas pela comunidade",
    "sottotitoli creati",
    "ondertiteling",
    "ondertiteld door",
    "субтитры сделал",
    "субтитры создавал",
    "редактор субтитров",
    "字幕由",
    "字幕製作",
    "请不吝点赞",
];

/// What videos end with, and lessons may end with too: dropped where the model itself is unsure.
const FAREWELLS: &[&str] = &[
    "thank you",
    "thank you very much",
    "thank you so much",
    "thanks for watching",
    "thank you for watching",
    "thank you for watching this video",
    "please subscribe",
    "please like and subscribe",
    "like and subscribe",
    "see you next time",
    "see you in the next video",
    "see you next video",
    "bye",
    "bye bye",
    "you",
    "vielen dank",
    "vielen dank fürs zuschauen",
    "bis zum nächsten mal",
    "tschüss",
    "merci",
    "merci d'avoir regardé cette vidéo",
    "gracias",
    "gracias por ver el video",
    "suscríbete",
    "obrigado",
    "grazie",
    "спасибо за просмотр",
    "продолжение следует",
    "ご視聴ありがとうございました",
    "谢谢观看",
    "시청해주셔서 감사합니다",
];

/// Below this mean probability, or above this chance of no speech, a farewell was not heard but guessed. Whisper's own
/// thresholds are .6 for no speech and -1 for the mean logarithm (.37); with a phrase that is suspect, half of the doubt does.
const FAREWELL_SURE: f32 = 0.6;
const FAREWELL_NO_SPEECH: f32 = 0.3;

impl Filter {
    /// What of a segment was said; `None` for nothing.
    pub fn keep(&mut self, heard: &Heard) -> Option<String> {
        let text = without_sounds(&heard.text);
        let text = said_once(&text);
        let plain = plain(&text);
        if plain.is_empty() || is_phantom(&text, &plain, heard) {
            return None;
        }
        if plain == self.last {
            self.times += 1;
            if self.times >= SAME_SEGMENTS {
                return None;
            }
        } else {
            self.last = plain;
            self.times = 1;
        }
        Some(text)
    }
}

fn is_phantom(text: &str, plain: &str, heard: &Heard) -> bool {
    let lower = text.to_lowercase();
    if CREDITS.iter().any(|credit| lower.contains(credit)) && text.chars().count() < 120 {
        return true;
    }
    let unsure = heard.sure < FAREWELL_SURE || heard.no_speech > FAREWELL_NO_SPEECH;
    unsure && FAREWELLS.contains(&plain)
}

/// Small letters and single spaces, without what stands around words.
fn plain(text: &str) -> String {
    let letters = |word: &str| {
        let inside = word.trim_matches(|c: char| !c.is_alphanumeric());
        inside.to_lowercase()
    };
    let words: Vec<String> = text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Without `[Music]`, `(applause)`, `*laughs*` and notes. Brackets with more than four words are somebody's speech.
fn without_sounds(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '*', '♪', '♫']) {
        out.push_str(&rest[..at]);
        let mark = rest[at..].chars().next().unwrap_or(' ');
        let inside = &rest[at + mark.len_utf8()..];
        let close = match mark {
            '[' => inside.find(']'),
            '(' => inside.find(')'),
            '*' => inside.find('*'),
            _ => None,
        };
        rest = match close {
            Some(end) if inside[..end].split_whitespace().count() <= 4 && is_sound(mark, &inside[..end]) => {
                &inside[end + 1..]
            }
            _ => {
                if !matches!(mark, '♪' | '♫') {
                    out.push(mark);
                }
                inside
            }
        };
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Square brackets always hold sounds; other marks also hold asides, formulas and emphasis.
fn is_sound(mark: char, inside: &str) -> bool {
    const SOUNDS: &[&str] = &[
        "music",
        "applause",
        "laugh",
        "cough",
        "sigh",
        "silence",
        "noise",
        "inaudible",
        "blank",
        "musik",
        "applaus",
        "lachen",
        "musique",
        "rires",
        "risas",
        "música",
        "aplausos",
        "musica",
        "音楽",
        "音乐",
        "музыка",
    ];
    let inside = inside.to_lowercase();
    mark == '[' || SOUNDS.iter().any(|sound| inside.contains(sound))
}

/// A phrase that is repeated again and again stands once.
fn said_once(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    // In languages without spaces the letters are looked at instead.
    if words.len() <= 2 && text.chars().count() > 24 {
        return letters_once(text);
    }
    let keys: Vec<String> = words.iter().map(|word| plain(word)).collect();
    let kept = once(&keys, PHRASE_WORDS);
    words = kept.into_iter().map(|i| words[i]).collect();
    words.join(" ")
}

fn letters_once(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    once(&letters, PHRASE_WORDS * 2).into_iter().map(|i| letters[i]).collect()
}

/// Which of `items` stay when each run of [`SAME_PHRASES`] or more equal phrases of up to `longest` items stands once.
fn once<T: PartialEq>(items: &[T], longest: usize) -> Vec<usize> {
    let mut kept = Vec::with_capacity(items.len());
    let mut at = 0;
    while at < items.len() {
        let run = (1..=longest.min((items.len() - at) / SAME_PHRASES)).find_map(|length| {
            let phrase = &items[at..at + length];
            let times = items[at..].chunks_exact(length).take_while(|part| *part == phrase).count();
            (times >= SAME_PHRASES).then_some((length, times))
        });
        let (length, times) = run.unwrap_or((1, 1));
        kept.extend(at..at + length);
        at += length * times;
        if times > 1 {
            // What is left of the phrase when the model was cut off within it.
            let mut tail = 0;
            while tail < length && at + tail < items.len() && items[at + tail] == items[at - length + tail] {
                tail += 1;
            }
            if at + tail == items.len() {
                at += tail;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(text: &str, no_speech: f32, sure: f32) -> Option<String> {
        Filter::default().keep(&Heard { text: text.to_owned(), no_speech, sure })
    }

    #[test]
    fn sounds_are_no_words_and_formulas_are() {
        for (text, expected) in [
            (" [Music]", None),
            ("(applause) (music playing)", None),
            ("♪ ♪", None),
            ("...", None),
            ("", None),
            ("[BLANK_AUDIO]", None),
            ("Dry it [coughs] for an hour.", Some("Dry it for an hour.")),
            ("f(x) is two times (a plus b).", Some("f(x) is two times (a plus b).")),
            ("*laughs* Look at this.", Some("Look at this.")),
            ("two * three * four", Some("two * three * four")),
            ("an (open bracket", Some("an (open bracket")),
        ] {
            assert_eq!(keep(text, 0.0, 0.9).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_repeated_without_end_is_said_once() {
        for (text, expected) in [
            ("so so so so so so", "so"),
            ("No, no, no.", "No, no, no."),
            ("mix the red mix the red mix the red mix the red mix the", "mix the red"),
            (
                "First wash, then dry. And then and then and then and then and then we paint.",
                "First wash, then dry. And then we paint.",
            ),
            ("one two three four five six seven eight", "one two three four five six seven eight"),
            ("ありがとうありがとうありがとうありがとうありがとうございます。", "ありがとうございます。"),
        ] {
            assert_eq!(keep(text, 0.0, 0.9).as_deref(), Some(expected));
        }
        let mut filter = Filter::default();
        let heard = |text: &str| Heard { text: text.to_owned(), no_speech: 0.0, sure: 0.9 };
        let kept: Vec<bool> = ["Yes.", "yes", "Yes!", "yes", "No.", "Yes."]
            .iter()
            .map(|text| filter.keep(&heard(text)).is_some())
            .collect();
        assert_eq!(kept, [true, true, false, false, true, true]);
    }

    #[test]
    fn farewells_are_dropped_where_the_model_guesses_and_credits_always() {
        assert_eq!(keep("Thank you for watching!", 0.1, 0.9).as_deref(), Some("Thank you for watching!"));
        assert_eq!(keep("Thank you for watching!", 0.7, 0.9), None);
        assert_eq!(keep("Thank you.", 0.0, 0.3), None);
        assert_eq!(
            keep("Thank you for watching how the wax dries.", 0.7, 0.3).as_deref(),
            Some("Thank you for watching how the wax dries.")
        );
        assert_eq!(keep("Subtitles by the Amara.org community", 0.0, 1.0), None);
        assert_eq!(keep("Untertitelung des ZDF, 2020", 0.0, 1.0), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_added_and_nothing_panics(text in "([a-cé音 \\[\\]()*♪.]{1,3} ?){0,60}") {
            if let Some(kept) = keep(&text, 0.1, 0.9) {
                proptest::prop_assert!(kept.len() <= text.len());
            }
        }
    }
}
