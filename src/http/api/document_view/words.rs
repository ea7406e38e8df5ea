//! What the viewer's page says around the words of a document, in the languages of the widget.
//!
//! The reader's browser says which (`Accept-Language`); what is not here is English. `#` stands for a number or a name.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};

/// The order of the words in each line of [`WORDS`].
const KEYS: &str = "dir skip page slide sheet row begin end open web frame only changed elsewhere part earlier later parts ask captions spot";

/// One line for each language, in the order of [`KEYS`].
const WORDS: [(&str, &str); 10] = [
    (
        "en",
        "ltr|Go to the quotation|Page #|Slide #|Sheet “#”|row #|Start of the quotation|End of the quotation|Open the original file|Open the web page|The original file|The course shows the quoted passage with what stands around it.|The document has changed since it was quoted, so nothing is marked.|The quotation is in another part of this text.|Part # of ##|Earlier part|Next part|Parts of the text|You can close this page and go back to the chat.|Captions|Where the quotation stands on the page",
    ),
    (
        "de",
        "ltr|Zum Zitat|Seite #|Folie #|Blatt „#“|Zeile #|Anfang des Zitats|Ende des Zitats|Originaldatei öffnen|Webseite öffnen|Die Originaldatei|Der Kurs zeigt die zitierte Stelle mit dem, was um sie steht.|Das Dokument wurde geändert, seit es zitiert wurde; darum ist nichts markiert.|Das Zitat steht in einem anderen Teil dieses Textes.|Teil # von ##|Vorheriger Teil|Nächster Teil|Teile des Textes|Du kannst diese Seite schließen und zum Chat zurückgehen.|Untertitel|Wo das Zitat auf der Seite steht",
    ),
    (
        "es",
        "ltr|Ir a la cita|Página #|Diapositiva #|Hoja «#»|fila #|Inicio de la cita|Fin de la cita|Abrir el archivo original|Abrir la página web|El archivo original|El curso muestra el pasaje citado y lo que lo rodea.|El documento ha cambiado desde que se citó; por eso no hay nada marcado.|La cita está en otra parte de este texto.|Parte # de ##|Parte anterior|Parte siguiente|Partes del texto|Puedes cerrar esta página y volver al chat.|Subtítulos|Dónde está la cita en la página",
    ),
    (
        "fr",
        "ltr|Aller à la citation|Page #|Diapositive #|Feuille « # »|ligne #|Début de la citation|Fin de la citation|Ouvrir le fichier original|Ouvrir la page web|Le fichier original|Le cours montre le passage cité et ce qui l’entoure.|Le document a changé depuis qu’il a été cité ; rien n’est donc surligné.|La citation est dans une autre partie de ce texte.|Partie # sur ##|Partie précédente|Partie suivante|Parties du texte|Vous pouvez fermer cette page et revenir au chat.|Sous-titres|Où se trouve la citation sur la page",
    ),
    (
        "pt",
        "ltr|Ir para a citação|Página #|Slide #|Planilha “#”|linha #|Início da citação|Fim da citação|Abrir o arquivo original|Abrir a página da web|O arquivo original|O curso mostra o trecho citado e o que está ao redor dele.|O documento mudou desde que foi citado; por isso nada está marcado.|A citação está em outra parte deste texto.|Parte # de ##|Parte anterior|Próxima parte|Partes do texto|Você pode fechar esta página e voltar ao chat.|Legendas|Onde a citação está na página",
    ),
    (
        "it",
        "ltr|Vai alla citazione|Pagina #|Diapositiva #|Foglio “#”|riga #|Inizio della citazione|Fine della citazione|Apri il file originale|Apri la pagina web|Il file originale|Il corso mostra il passo citato e ciò che gli sta intorno.|Il documento è cambiato da quando è stato citato; perciò nulla è evidenziato.|La citazione è in un’altra parte di questo testo.|Parte # di ##|Parte precedente|Parte successiva|Parti del testo|Puoi chiudere questa pagina e tornare alla chat.|Sottotitoli|Dove si trova la citazione nella pagina",
    ),
    (
        "nl",
        "ltr|Naar het citaat|Pagina #|Dia #|Blad ‘#’|rij #|Begin van het citaat|Einde van het citaat|Het originele bestand openen|De webpagina openen|Het originele bestand|De cursus toont de geciteerde passage met wat eromheen staat.|Het document is veranderd sinds het geciteerd werd; daarom is er niets gemarkeerd.|Het citaat staat in een ander deel van deze tekst.|Deel # van ##|Vorig deel|Volgend deel|Delen van de tekst|Je kunt deze pagina sluiten en teruggaan naar de chat.|Ondertiteling|Waar het citaat op de pagina staat",
    ),
    (
        "ja",
        "ltr|引用箇所へ移動|#ページ|スライド#|シート「#」|#行目|引用の始まり|引用の終わり|元のファイルを開く|ウェブページを開く|元のファイル|このコースでは、引用された箇所とその前後のみを表示しています。|引用後に文書が変更されたため、印は付いていません。|引用箇所はこの文書の別の部分にあります。|##中#|前の部分|次の部分|文書の各部分|このページを閉じて、チャットに戻れます。|字幕|ページ内の引用箇所",
    ),
    (
        "zh",
        "ltr|转到引文|第 # 页|幻灯片 #|工作表“#”|第 # 行|引文开始|引文结束|打开原始文件|打开网页|原始文件|本课程只显示被引用的段落及其上下文。|文档在被引用后已更改，因此没有标记。|引文在本文的另一部分。|第 # 部分，共 ## 部分|上一部分|下一部分|文本的各部分|您可以关闭此页并返回聊天。|字幕|引文在页面上的位置",
    ),
    (
        "ar",
        "rtl|انتقل إلى الاقتباس|صفحة #|شريحة #|ورقة «#»|صف #|بداية الاقتباس|نهاية الاقتباس|افتح الملف الأصلي|افتح صفحة الويب|الملف الأصلي|تعرض الدورة المقطع المقتبس وما حوله.|تغيّر المستند منذ اقتباسه، ولذلك لا شيء مُعلَّم.|الاقتباس في جزء آخر من هذا النص.|الجزء # من ##|الجزء السابق|الجزء التالي|أجزاء النص|يمكنك إغلاق هذه الصفحة والعودة إلى المحادثة.|التسميات التوضيحية|موضع الاقتباس في الصفحة",
    ),
];

/// A language, what is said, and what to do.
type Notice = (&'static str, &'static str, &'static str);

/// Codes of problems, with what is said and what to do, in the same languages.
const NOTICES: [(&str, [Notice; 10]); 4] = [
    (
        "unknown_document",
        [
            (
                "en",
                "Nothing can be shown here",
                "Open the source from the answer again. If the address was copied, take all of it.",
            ),
            (
                "de",
                "Hier gibt es nichts zu sehen",
                "Öffne die Quelle noch einmal aus der Antwort. Wenn die Adresse kopiert wurde, nimm sie ganz.",
            ),
            (
                "es",
                "Aquí no hay nada que mostrar",
                "Abre de nuevo la fuente desde la respuesta. Si copiaste la dirección, cópiala entera.",
            ),
            (
                "fr",
                "Il n’y a rien à montrer ici",
                "Ouvrez de nouveau la source depuis la réponse. Si l’adresse a été copiée, prenez-la en entier.",
            ),
            (
                "pt",
                "Não há nada para mostrar aqui",
                "Abra a fonte de novo a partir da resposta. Se o endereço foi copiado, copie-o por inteiro.",
            ),
            (
                "it",
                "Qui non c’è nulla da mostrare",
                "Apri di nuovo la fonte dalla risposta. Se hai copiato l’indirizzo, copialo per intero.",
            ),
            (
                "nl",
                "Hier valt niets te tonen",
                "Open de bron opnieuw vanuit het antwoord. Als het adres gekopieerd is, neem het helemaal.",
            ),
            (
                "ja",
                "ここに表示できるものはありません",
                "回答からもう一度出典を開いてください。アドレスをコピーした場合は、全体をコピーしてください。",
            ),
            ("zh", "此处没有可显示的内容", "请从回答中重新打开出处。如果地址是复制的，请复制完整。"),
            ("ar", "لا يوجد ما يُعرض هنا", "افتح المصدر مرة أخرى من الإجابة. إذا نسخت العنوان فانسخه كاملًا."),
        ],
    ),
    (
        "address_expired",
        [
            (
                "en",
                "This address no longer opens",
                "It was made some weeks ago. Ask your question again: the new answer has a new address.",
            ),
            (
                "de",
                "Diese Adresse ist abgelaufen",
                "Sie ist einige Wochen alt. Stell deine Frage noch einmal: Die neue Antwort hat eine neue Adresse.",
            ),
            (
                "es",
                "Esta dirección ya no se abre",
                "Se creó hace unas semanas. Haz tu pregunta otra vez: la nueva respuesta tendrá una dirección nueva.",
            ),
            (
                "fr",
                "Cette adresse a expiré",
                "Elle a été créée il y a quelques semaines. Reposez votre question : la nouvelle réponse aura une nouvelle adresse.",
            ),
            (
                "pt",
                "Este endereço não abre mais",
                "Ele foi criado há algumas semanas. Faça a pergunta de novo: a nova resposta terá um novo endereço.",
            ),
            (
                "it",
                "Questo indirizzo è scaduto",
                "È stato creato qualche settimana fa. Rifai la domanda: la nuova risposta avrà un nuovo indirizzo.",
            ),
            (
                "nl",
                "Dit adres opent niet meer",
                "Het is enkele weken oud. Stel je vraag opnieuw: het nieuwe antwoord heeft een nieuw adres.",
            ),
            (
                "ja",
                "このアドレスは期限切れです",
                "数週間前に作成されたものです。もう一度質問すると、新しい回答に新しいアドレスが付きます。",
            ),
            ("zh", "此地址已过期", "它是几周前生成的。请再次提问：新的回答会有新的地址。"),
            (
                "ar",
                "انتهت صلاحية هذا العنوان",
                "أُنشئ قبل بضعة أسابيع. اطرح سؤالك مرة أخرى: للإجابة الجديدة عنوان جديد.",
            ),
        ],
    ),
    (
        "document_deleted",
        [
            (
                "en",
                "The document has been removed",
                "Ask your question again: the answer will come from what is in the course now.",
            ),
            (
                "de",
                "Das Dokument wurde entfernt",
                "Stell deine Frage noch einmal: Die Antwort kommt dann aus dem, was jetzt im Kurs steht.",
            ),
            (
                "es",
                "El documento se ha eliminado",
                "Haz tu pregunta otra vez: la respuesta saldrá de lo que hay ahora en el curso.",
            ),
            (
                "fr",
                "Le document a été retiré",
                "Reposez votre question : la réponse viendra de ce que le cours contient maintenant.",
            ),
            (
                "pt",
                "O documento foi removido",
                "Faça a pergunta de novo: a resposta virá do que está no curso agora.",
            ),
            (
                "it",
                "Il documento è stato rimosso",
                "Rifai la domanda: la risposta verrà da ciò che è nel corso adesso.",
            ),
            (
                "nl",
                "Het document is verwijderd",
                "Stel je vraag opnieuw: het antwoord komt dan uit wat nu in de cursus staat.",
            ),
            ("ja", "文書は削除されました", "もう一度質問してください。現在のコースの内容から回答します。"),
            ("zh", "该文档已被移除", "请再次提问：回答将来自课程现有的内容。"),
            ("ar", "حُذف المستند", "اطرح سؤالك مرة أخرى: ستأتي الإجابة مما في الدورة الآن."),
        ],
    ),
    (
        "document_changed",
        [
            (
                "en",
                "The document has changed",
                "The passage is no longer as it was quoted. Ask your question again to see how it reads now.",
            ),
            (
                "de",
                "Das Dokument wurde geändert",
                "Die Stelle steht nicht mehr so da, wie sie zitiert wurde. Stell deine Frage noch einmal.",
            ),
            (
                "es",
                "El documento ha cambiado",
                "El pasaje ya no está como se citó. Haz tu pregunta otra vez para ver cómo dice ahora.",
            ),
            (
                "fr",
                "Le document a changé",
                "Le passage n’est plus tel qu’il a été cité. Reposez votre question pour voir ce qu’il dit maintenant.",
            ),
            (
                "pt",
                "O documento mudou",
                "O trecho não está mais como foi citado. Faça a pergunta de novo para ver como está agora.",
            ),
            (
                "it",
                "Il documento è cambiato",
                "Il passo non è più come è stato citato. Rifai la domanda per vedere che cosa dice ora.",
            ),
            (
                "nl",
                "Het document is veranderd",
                "De passage staat er niet meer zoals geciteerd. Stel je vraag opnieuw om te zien hoe ze nu luidt.",
            ),
            (
                "ja",
                "文書が変更されました",
                "引用時の文章とは異なっています。もう一度質問して、現在の内容を確認してください。",
            ),
            ("zh", "该文档已更改", "该段落已与引用时不同。请再次提问，查看现在的内容。"),
            ("ar", "تغيّر المستند", "لم يعد المقطع كما اقتُبس. اطرح سؤالك مرة أخرى لترى نصه الآن."),
        ],
    ),
];

/// The first language of the browser's list that is here.
pub fn language(headers: &HeaderMap) -> &'static str {
    let given =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags =
        given.split(',').filter_map(|one| one.split([';', '-']).next()).map(|tag| tag.trim().to_lowercase());
    let known = |tag: String| WORDS.iter().map(|(code, _)| *code).find(|code| *code == tag);
    tags.into_iter().find_map(known).unwrap_or("en")
}

/// The words of a language, by name.
pub fn of(language: &str) -> BTreeMap<&'static str, &'static str> {
    let line = WORDS.iter().find(|(code, _)| *code == language).map_or(WORDS[0].1, |(_, line)| *line);
    KEYS.split(' ').zip(line.split('|')).collect()
}

/// What a notice says of a problem and what it advises; `None` for problems that readers do not meet.
pub fn notice(language: &str, code: &str) -> Option<(&'static str, &'static str)> {
    let (_, languages) = NOTICES.iter().find(|(known, _)| *known == code)?;
    languages.iter().find(|(known, ..)| *known == language).map(|(_, said, advice)| (*said, *advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn every_language_has_every_word() {
        let keys = KEYS.split(' ').count();
        for (language, line) in WORDS {
            assert_eq!(line.split('|').count(), keys, "{language}");
            assert!(line.split('|').all(|word| !word.trim().is_empty()), "{language}");
            let words = of(language);
            for key in ["page", "slide", "sheet", "row", "part"] {
                assert!(words[key].contains('#'), "{language} {key}");
            }
            assert!(words["part"].contains("##"), "{language}");
            for (code, _) in NOTICES {
                assert!(notice(language, code).is_some(), "{language} {code}");
            }
        }
        assert_eq!(notice("en", "internal_error"), None);
    }

    #[test]
    fn the_browser_says_the_language() {
        for (accept, expected) in [
            ("de-CH,de;q=0.9,en;q=0.8", "de"),
            ("gsw, fr;q=0.7", "fr"),
            ("AR", "ar"),
            ("tlh", "en"),
            ("", "en"),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accept))]);
            assert_eq!(language(&headers), expected, "{accept}");
        }
        assert_eq!(language(&HeaderMap::new()), "en");
    }
}
