//! A student's progress: reported by the creator's site, told to the student whom the site signs for, and to nobody else.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::TestApp;

const COURSE: &[(&str, &str)] = &[
    ("1-brushes.md", "# Brushes\n\nRinse the brushes in cold water for two minutes.\n"),
    ("2-dough.md", "# Dough\n\nThe dough rests for 40 minutes before it is shaped.\n"),
    ("10-glaze.md", "# Glaze\n\nA glaze of egg and milk gives colour.\n"),
    ("certificates.md", "# Certificates\n\nYou get your certificate when you have done all lessons.\n"),
];

/// A course whose site signs for its students.
struct School {
    test: TestApp,
    secret: Vec<u8>,
}

impl School {
    async fn open() -> Self {
        let test = TestApp::with(COURSE).await;
        let reply = test.post_as("/api/v1/students/secret", json!({}), &test.key).await.json();
        let secret = STANDARD.decode(reply["secret"].as_str().unwrap()).unwrap();
        Self { test, secret }
    }

    fn token(&self, claims: &Value) -> String {
        signed(claims, &self.secret)
    }

    async fn report(&self, student: &str, events: Value) -> Value {
        let path = format!("/api/v1/students/{student}/progress");
        let reply = self.test.post_as(&path, json!({ "events": events }), &self.test.key).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    }

    async fn ask(&self, question: &str, lang: &str, token: Option<&str>) -> Value {
        let body = json!({"message": question, "creator_id": "course", "lang": lang, "student_token": token});
        let reply = self.test.post("/chat", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    }
}

fn signed(claims: &Value, secret: &[u8]) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Brushes are done, dough is half played, and the first test is passed.
fn of_ana() -> Value {
    json!([
        {"type": "lesson_completed", "lesson": "Brushes", "at": "2026-11-01T10:00:00Z"},
        {"type": "score", "lesson": "Brushes", "value": 83.5, "passed": true, "at": "2026-11-01T10:05:00Z"},
        {"type": "lesson_opened", "lesson": "2-dough", "at": "2026-11-02T10:00:00Z"},
        {"type": "position", "lesson": "2-dough", "value": 754_000, "at": "2026-11-02T10:13:00Z"},
    ])
}

fn says(answer: &Value, wanted: &[&str], unwanted: &[&str]) {
    let response = answer["response"].as_str().unwrap();
    for text in wanted {
        assert!(response.contains(text), "without {text:?}: {response}");
    }
    for text in unwanted {
        assert!(!response.contains(text), "with {text:?}: {response}");
    }
}

#[tokio::test]
async fn a_student_hears_where_they_were_what_is_next_and_what_is_left() {
    let school = School::open().await;
    school.report("ana", of_ana()).await;
    let ana = school.token(&json!({"sub": "ana"}));
    for (question, wanted, unwanted) in [
        ("Where was I?", &["Dough", "12:34", "1 of 3", "Glaze"][..], &[][..]),
        ("What is next?", &["Glaze"], &["Brushes"]),
        ("How far am I?", &["1 of 3"], &[]),
        ("Which lessons are left?", &["1 of 3", "Dough", "Glaze"], &["Brushes"]),
        ("Did I pass?", &["Brushes", "83.5"], &["Glaze"]),
    ] {
        let answer = school.ask(question, "en", Some(&ana)).await;
        assert_eq!((&answer["agent"], &answer["abstained"]), (&json!("progress"), &json!(false)), "{answer}");
        assert_eq!(
            (&answer["cached"], &answer["should_escalate"]),
            (&json!(false), &json!(false)),
            "{answer}"
        );
        says(&answer, wanted, unwanted);
    }
    let answer = school.ask("When do I get my certificate?", "en", Some(&ana)).await;
    assert_eq!(answer["agent"], "progress+policy", "{answer}");
    says(&answer, &["1 of 3", "Dough", "when you have done all lessons"], &[]);
    assert_eq!(answer["citations"][0]["title"], "Certificates", "{answer}");

    school.report("ana", json!([
        {"type": "lesson_completed", "lesson": "Dough"}, {"type": "lesson_completed", "lesson": "10-glaze.md"},
    ])).await;
    says(&school.ask("Which lessons are left?", "en", Some(&ana)).await, &["all 3"], &["Glaze"]);
    says(&school.ask("What is next?", "en", Some(&ana)).await, &["all 3"], &[]);
}

#[tokio::test]
async fn nobody_hears_of_another_students_progress() {
    let test = TestApp::with(COURSE).await;
    let answer = test.chat("Where was I?").await;
    assert_eq!(answer["agent"], "progress");
    says(&answer, &["no progress data is connected"], &[]);

    let school = School::open().await;
    school.report("ana", of_ana()).await;
    let secret = ["Dough", "12:34", "1 of 3", "83.5"];
    for question in ["Where was I?", "Which lessons are left?", "Did I pass?"] {
        let nobody = school.ask(question, "en", None).await;
        says(&nobody, &["signed in"], &secret);
        let ben = school.token(&json!({"sub": "ben"}));
        says(&school.ask(question, "en", Some(&ben)).await, &["No progress is recorded"], &secret);
        let ana = school.token(&json!({"sub": "ana"}));
        assert_ne!(school.ask(question, "en", Some(&ana)).await["response"], nobody["response"]);
    }
    // Forged, unsigned, expired: refused, whatever it says.
    let (head, claims) =
        (URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(r#"{"sub":"ana"}"#));
    for token in [
        signed(&json!({"sub": "ana"}), b"another secret"),
        format!("{head}.{claims}."),
        school.token(&json!({"sub": "ana", "exp": 1})),
    ] {
        let body = json!({"message": "Where was I?", "creator_id": "course", "student_token": token});
        let refused = school.test.post("/chat", body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        says(&json!({"response": refused.text}), &["invalid_student_token"], &secret);
    }
    // The conditions of the certificate are everybody's, how far Ana is from it is not.
    let question = "When do I get my certificate?";
    let ana = school.token(&json!({"sub": "ana"}));
    for token in [None, Some(ana.as_str()), None] {
        let answer = school.ask(question, "en", token).await;
        assert_eq!(answer["response"].as_str().unwrap().contains("1 of 3"), token.is_some(), "{answer}");
    }
    // Another creator's key reports and sees nothing here.
    school.test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, other) = school.test.app.create_key(&"other".parse().unwrap(), "o".into()).await.unwrap();
    let seen = school.test.get_as("/api/v1/students/ana/progress", &other).await.json();
    assert_eq!(seen["lessons"], json!([]));
    let unproved = school.test.post("/api/v1/students/ana/progress", json!({"events": []})).await;
    assert_eq!(unproved.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_seven_languages_ask_and_hear_of_progress() {
    let school = School::open().await;
    school.report("ana", of_ana()).await;
    let ana = school.token(&json!({"sub": "ana"}));
    let questions: &[(&str, [&str; 6])] = &[
        (
            "de",
            [
                "Wo war ich stehengeblieben?",
                "Was kommt als Nächstes?",
                "Wie weit bin ich?",
                "Welche Lektionen fehlen mir noch?",
                "Habe ich bestanden?",
                "Wann bekomme ich mein Zertifikat?",
            ],
        ),
        (
            "es",
            [
                "¿Por dónde iba?",
                "¿Qué sigue?",
                "¿Cuánto llevo?",
                "¿Qué lecciones me faltan?",
                "¿He aprobado?",
                "¿Cuándo recibo mi certificado?",
            ],
        ),
        (
            "fr",
            [
                "Où en étais-je ?",
                "Quelle est la suite ?",
                "Où en suis-je ?",
                "Quelles leçons me restent ?",
                "Ai-je réussi ?",
                "Quand vais-je recevoir mon certificat ?",
            ],
        ),
        (
            "pt",
            [
                "Onde parei?",
                "O que vem a seguir?",
                "Quanto já fiz?",
                "Quais aulas faltam?",
                "Passei?",
                "Quando recebo o meu certificado?",
            ],
        ),
        (
            "it",
            [
                "Dove ero rimasto?",
                "Cosa viene dopo?",
                "A che punto sono?",
                "Quali lezioni mi mancano?",
                "Ho superato il test?",
                "Quando ricevo il mio certificato?",
            ],
        ),
        (
            "nl",
            [
                "Waar was ik gebleven?",
                "Wat komt hierna?",
                "Hoe ver ben ik?",
                "Welke lessen moet ik nog doen?",
                "Ben ik geslaagd?",
                "Wanneer krijg ik mijn certificaat?",
            ],
        ),
    ];
    let expected: [(&[&str], &[&str]); 6] = [
        (&["Dough", "12:34"], &[]),
        (&["Glaze"], &["Brushes"]),
        (&["1", "3"], &[]),
        (&["Dough", "Glaze"], &["Brushes"]),
        (&["Brushes", "83.5"], &["Glaze"]),
        (&["1", "3", "Dough"], &[]),
    ];
    let mut wrong = Vec::new();
    for (lang, questions) in questions {
        for (question, (wanted, unwanted)) in questions.iter().zip(expected) {
            let answer = school.ask(question, lang, Some(&ana)).await;
            let response = answer["response"].as_str().unwrap();
            let fits = wanted.iter().all(|text| response.contains(text))
                && !unwanted.iter().any(|text| response.contains(text))
                && answer["agent"].as_str().unwrap().starts_with("progress")
                && answer["language"] == *lang;
            if !fits {
                wrong.push(format!("{lang}: {question} -> {} {response}", answer["agent"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_token_may_carry_progress_and_an_erased_student_leaves_none() {
    let school = School::open().await;
    let ana = school.token(&json!({"sub": "ana", "email": "ana@school.example", "iat": 1_790_000_000,
        "progress": [{"type": "lesson_completed", "lesson": "Brushes"}, {"type": "lesson_opened", "lesson": "Dough"}]}));
    says(&school.ask("How far am I?", "en", Some(&ana)).await, &["1 of 3", "Dough"], &[]);
    let test = &school.test;
    let shown = test.get_as("/api/v1/students/ana", &test.key).await.json();
    assert_eq!(
        (&shown["progress"][0]["lesson"], &shown["email"]),
        (&json!("Brushes"), &json!("ana@school.example"))
    );
    assert_eq!(shown["progress"][0]["completed_at"], "2026-09-21T14:13:20Z", "{shown}");
    let twice = school.report("ana", of_ana()).await;
    assert_eq!(school.report("ana", of_ana()).await, twice);

    for (event, why) in [
        (json!({"type": "score", "lesson": "Dough"}), "value"),
        (json!({"type": "position", "lesson": "Dough", "value": -3}), "value"),
        (json!({"type": "lesson_opened", "lesson": " "}), "lesson"),
        (json!({"type": "lesson_opened", "lesson": "Dough", "at": "yesterday"}), "at"),
        (json!({"type": "left", "lesson": "Dough"}), "type"),
        (json!({"type": "lesson_opened", "lesson": "x".repeat(201)}), "lesson"),
    ] {
        let body = json!({"events": [{"type": "lesson_opened", "lesson": "Glaze"}, event]});
        let refused = test.post_as("/api/v1/students/ana/progress", body, &test.key).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {}", refused.text);
    }
    let path = "/api/v1/students/ana/progress";
    let kept = test.get_as(path, &test.key).await.json();
    assert_eq!(kept, twice, "nothing of a wrong request is taken");

    let request =
        Request::delete("/api/v1/students/ana").header(header::AUTHORIZATION, format!("Bearer {}", test.key));
    assert_eq!(test.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    assert_eq!(test.get_as(path, &test.key).await.json()["lessons"], json!([]));
}
