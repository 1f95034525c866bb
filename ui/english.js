// The page in English, for browsers that do not ask for French. The page is made in French; here each of its own texts
// is exchanged where it stands, when it appears and when Gradio draws it anew. What documents and visitors say is left
// as it is, and so is a text that is not known here.
(() => {
    "use strict";

    if ((navigator.languages ?? [navigator.language]).some((language) => language.toLowerCase().startsWith("fr"))) return;
    document.documentElement.lang = "en";

    // What is never the page's own: questions, answers, documents, names of files.
    const NOT_OURS =
        "script, style, textarea, .question, .passage, mark, blockquote, .answer strong, .about, .reading, .answer > p:not([class])" +
        ", .source h3, .further, #examples, .whole-text h2, .checks li, .title";

    const WORDS = {
        "Posez une question sur vos documents…": "Ask a question about your documents…",
        "Que voulez-vous savoir ?": "What would you like to know?",
        "Chaque réponse cite la phrase qui la prouve, à sa place dans le document.":
            "Each answer cites the sentence that proves it, in its place in the document.",
        "Les phrases qui prouvent la réponse apparaîtront ici, à leur place dans le document.":
            "The sentences that prove the answer will appear here, in their place in the document.",
        "Poser la question": "Ask",
        "Effacer la conversation": "Clear the conversation",
        "Nouvelle conversation": "New conversation",
        "Dates de la question": "Dates in the question",
        "Filtres": "Filters",
        "Documents depuis": "Documents since",
        "Jusqu’à": "Until",
        "mars 2022": "2022-03",
        "Sources citées au plus": "Sources cited at most",
        "number input for Sources citées au plus": "Sources cited at most, in figures",
        "range slider for Sources citées au plus": "Sources cited at most",
        "Fichiers et dossiers": "Files and folders",
        "Tous, si rien n’est choisi": "All, if none is chosen",
        "Arrêter": "Stop",
        "Réessayer": "Try again",
        "Annuler": "Undo",
        "Avis": "Judgement",
        "Demande": "Request",
        "Retrait": "Removal",
        "Ordre": "Order",
        "Compris comme :": "Understood as:",
        "modifier": "edit",
        "Chercher sans ce filtre de dates": "Search without this filter of dates",
        "Copier avec les sources": "Copy with its sources",
        "Bonne réponse": "Good answer",
        "Mauvaise réponse": "Wrong answer",
        "En effet": "Rightly so",
        "La réponse y est": "It is in there",
        "Sans réponse": "No answer",
        "Voir les phrases les plus proches": "See the nearest sentences",
        "Phrases les plus proches, qui ne répondent pas à la question":
            "Nearest sentences, which do not answer the question",
        "Aucune phrase des documents ne s’en approche.": "No sentence of the documents comes near it.",
        "Le modèle de langage n’a encore rien écrit…": "The language model has not written anything yet…",
        "confirmé par les sources": "confirmed by the sources",
        "Citation précédente": "Previous citation",
        "Citation suivante": "Next citation",
        "Fermer les sources": "Close the sources",
        "Fermer le document": "Close the document",
        "Copier la citation": "Copy the citation",
        "Copié": "Copied",
        "Cette phrase ne le dit pas": "This sentence does not say so",
        "Document entier": "Whole document",
        "Fichier d’origine": "Original file",
        "Texte (.txt)": "Text (.txt)",
        "Le document a changé depuis : la phrase est montrée seule.":
            "The document has changed since: the sentence is shown alone.",
        "Le document a changé depuis la réponse : la phrase citée n’y est plus à sa place.":
            "The document has changed since the answer: the cited sentence is no longer in its place.",
        "Le document n’a pas pu être ouvert : la page ne répond pas.":
            "The document could not be opened: the page does not respond.",
        "Touches du clavier": "Keyboard",
        "poser la question": "ask the question",
        "aller à la ligne": "new line",
        "aller à la question": "go to the question",
        "citation suivante": "next citation",
        "citation précédente": "previous citation",
        "fermer": "close",
        "montrer ces touches": "show these keys",
        "Fermer": "Close",
        "Entrée": "Enter",
        "Maj + Entrée": "Shift + Enter",
        "Échap": "Esc",
        "Ajouter des documents": "Add documents",
        "Ajouter un dossier…": "Add a folder…",
        "Déposez vos fichiers ici": "Drop your files here",
        "Cliquez pour les choisir": "Click to choose them",
        "- ou -": "- or -",
        "Un dossier ou une archive zip se dépose aussi. Un fichier de même nom remplace le précédent. Après avoir modifié des documents sur le disque, mettez l’index à jour : seul ce qui a changé est relu.":
            "A folder or a zip archive can be dropped too. A file of the same name replaces the former one. After changing documents on disk, update the index: only what has changed is read again.",
        "Cette page est en lecture seule : les documents se cherchent et se lisent, mais ne s’ajoutent ni ne se retirent ici.":
            "This page is read only: documents can be searched and read, but neither added nor removed here.",
        "Mettre l’index à jour": "Update the index",
        "Chercher un document": "Search for a document",
        "Chercher dans les titres et les noms de fichiers…": "Search in titles and names of files…",
        "Liste des documents": "List of documents",
        "Choix des documents": "Choice of documents",
        "Derniers ajoutés": "Last added",
        "Plus récents": "Newest",
        "Plus anciens": "Oldest",
        "Lire": "Read",
        "Retirer…": "Remove…",
        "Retirer": "Remove",
        "Garder": "Keep",
        "Retirer ce document ?": "Remove this document?",
        "Confirmer le retrait": "Confirm the removal",
        "Tout a pu être lu.": "Everything could be read.",
        "Aucun document ne correspond. Cherchez un mot du titre ou du nom du fichier, ou retirez un filtre.":
            "No document matches. Search for a word of the title or of the file’s name, or remove a filter.",
        "Il n’y a pas encore de document : déposez-en ci-dessus, et posez votre question aussitôt.":
            "There is no document yet: drop some above, and ask your question at once.",
        "Pages de la liste": "Pages of the list",
        "‹ Précédents": "‹ Previous",
        "Suivants ›": "Next ›",
        "Toutes les années": "All years",
        "à jour": "up to date",
        ": ajouté": ": added",
        ": mis à jour": ": updated",
        ": déjà à jour": ": already up to date",
        ": pas ajouté": ": not added",
        "En cours…": "Under way…",
        "Les documents ne répondent pas : aucune phrase trouvée": "The documents do not answer: no sentence found",
    };

    const MONTHS = {
        janvier: "January", février: "February", mars: "March", avril: "April", mai: "May", juin: "June",
        juillet: "July", août: "August", septembre: "September", octobre: "October", novembre: "November",
        décembre: "December", "janv.": "Jan", "févr.": "Feb", "avr.": "Apr", "juil.": "Jul", "sept.": "Sep",
        "oct.": "Oct", "nov.": "Nov", "déc.": "Dec",
    };
    const MISSING = {
        "ne dit qui": "says who", "ne dit quand": "says when", "ne dit où": "says where",
        "ne donne ce nombre": "gives this number", "ne dit pourquoi": "says why", "ne dit comment": "says how",
        "ne définit cela": "defines it", "ne répond à cette question": "answers this question",
    };
    const CONFIDENCE = { élevée: "high", moyenne: "medium", faible: "low" };
    const PLURAL = { passage: "passage", document: "document", source: "source", caractère: "character", an: "year" };
    const UNITS = { mois: "month", an: "year", décennie: "decade" };
    const grouped = (number) => number.replaceAll("\u202f", ",");
    const date = (words) =>
        words.replace(/\b(?:(\d+)(?:er)? )?([a-zéû]+\.?) (\d{4})/g, (all, day, month, year) =>
            MONTHS[month] ? `${day ? `${day} ` : ""}${MONTHS[month]} ${year}` : all,
        );

    // Tried in turn on the parts of a line that " · " separates; the first that fits is taken.
    const PATTERNS = [
        [/^([\d\u202f]+) (passage|document|source|caractère)s?$/, (_, n, noun) => `${grouped(n)} ${PLURAL[noun]}${n === "1" ? "" : "s"}`],
        [/^génération (\d+)$/, (_, n) => `generation ${n}`],
        [/^page (\d+)$/, (_, n) => `page ${n}`],
        [/^extractif$/, () => "extractive"],
        [/^modèle embarqué$/, () => "bundled model"],
        [/^modèle de langage (.*)$/, (_, name) => `language model ${name}`],
        [/^modèle (.*)$/, (_, name) => `model ${name}`],
        [/^reclassement (.*)$/, (_, name) => `reranker ${name}`],
        [/^lecteur embarqué$/, () => "bundled reader"],
        [/^sans lecteur$/, () => "no reader"],
        [/^lecteur (.*)$/, (_, name) => `reader ${name}`],
        [/^Confiance (élevée|moyenne|faible)$/, (_, how) => `Confidence ${CONFIDENCE[how]}`],
        [/^sans date$/, () => "no date"],
        [/^Tous(?: \(([\d\u202f]+)\))?$/, (_, n) => (n ? `All (${grouped(n)})` : "All")],
        [/^Sans date \(([\d\u202f]+)\)$/, (_, n) => `No date (${grouped(n)})`],
        [/^Date imprécise \(([\d\u202f]+)\)$/, (_, n) => `Wider date (${grouped(n)})`],
        [/^Illisibles \(([\d\u202f]+)\)$/, (_, n) => `Unreadable (${grouped(n)})`],
        [/^Documents datés : (.*)$/, (_, bounds) => `Documents dated: ${date(bounds)}`],
        [/^Documents par (mois|an|décennie), (.*)$/, (_, unit, span) => `Documents a ${UNITS[unit]}, ${date(span)}`],
        [/^Documents par (mois|an|décennie) ; les flèches passent de l’un à l’autre$/, (_, unit) => `Documents a ${UNITS[unit]}; the arrows go from one to the next`],
        [/^Ne plus filtrer : (.*)$/, (_, when) => `No longer filter: ${date(when)}`],
        [/^années (\d+)$/, (_, decade) => `${decade}s`],
        [/^(.+) : ([\d\u202f]+) documents?$/, (all, when, n) => (date(when) === when && !/^\d/.test(when) ? all : `${date(when)}: ${grouped(n)} document${n === "1" ? "" : "s"}`)],
        [/^Rien n’a changé : ([\d\u202f]+) documents? à jour\.$/, (_, n) => `Nothing has changed: ${grouped(n)} up to date.`],
        [/^Les documents ne répondent pas : aucune phrase trouvée (ne .*?)\.( Voici les phrases les plus proches\.)?$/, (all, what, near) => (MISSING[what] ? `The documents do not answer: no sentence found ${MISSING[what]}.${near ? " Here are the nearest ones." : ""}` : all)],
        [/^Vérification : (.*)$/, (_, rest) => `Check: ${rest}`],
        [/^(✓|◐|⚠) (\d+) phrases? (confirmées?|confirmées? en partie|non confirmées?)$/, (_, sign, n, what) => `${sign} ${n} ${what.startsWith("non") ? "not confirmed" : what.endsWith("partie") ? "confirmed in part" : "confirmed"}`],
        [/^en partie seulement(.*)$/, (_, why) => `in part only${why}`],
        [/^pas confirmé par les sources(.*)$/, (_, why) => `not confirmed by the sources${why}`],
        [/^« (.*) » n’est pas une date : écrivez 2022, mars 2022 ou 15\/03\/2022$/, (_, typed) => `“${typed}” is not a date: write 2022, 2022-03 or 15/03/2022`],
        [/^Il ne servira plus à aucune réponse\. La copie envoyée depuis cette page, (.*), sera supprimée du disque\.$/, (_, names) => `No answer will use it any more. The copy sent from this page, ${names}, will be deleted from the disk.`],
        [/^Il ne servira plus à aucune réponse\. Rien n’est effacé ailleurs : (.*) reste sur le disque\.(.*)$/, (_, names) => `No answer will use it any more. Nothing else is deleted: ${names} stays on the disk, and the document comes back when the index is updated as long as its file is in a folder that is followed.`],
        [/^« (.*) » est retiré : aucune réponse ne le citera plus\.(.*)$/, (_, title) => `“${title}” is removed: no answer will cite it any more.`],
        [/^(.*) : le fichier est abîmé ou incomplet$/, (_, name) => `${name}: the file is damaged or incomplete`],
        [/^(.*) : il n’y a pas de texte$/, (_, name) => `${name}: there is no text in it`],
        [/^(?:1er |\d+ )?[a-zéû]+\.? \d{4}$/, (all) => date(all)],
        [/^(.*\d{4}) → (.*)$/, (_, first, last) => `${date(first)} → ${date(last)}`],
    ];

    function translated(text) {
        if (Object.hasOwn(WORDS, text)) return WORDS[text];
        const parts = text.split(" · ").map((part) => {
            for (const [pattern, words] of PATTERNS) if (pattern.test(part)) return part.replace(pattern, words);
            return part;
        });
        return parts.join(" · ");
    }

    function exchange(text) {
        const inner = text.trim();
        if (!inner) return text;
        const open = inner.endsWith(" ·") ? " ·" : "";
        return text.replace(inner, () => translated(open ? inner.slice(0, -2) : inner) + open);
    }

    function readText(node) {
        if (node.parentElement?.closest(NOT_OURS)) return;
        const told = exchange(node.data);
        if (told !== node.data) node.data = told;
    }

    function readNames(element) {
        for (const name of ["aria-label", "placeholder", "title"]) {
            const text = element.getAttribute(name);
            if (!text || (name === "title" && element.closest("a.marker"))) continue;
            const told = exchange(text);
            if (told !== text) element.setAttribute(name, told);
        }
    }

    function read(root) {
        if (root.nodeType === Node.TEXT_NODE) return readText(root);
        if (root.nodeType !== Node.ELEMENT_NODE) return;
        readNames(root);
        root.querySelectorAll("[aria-label], [placeholder], [title]").forEach(readNames);
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) readText(texts.currentNode);
    }

    // Its own changes are seen too, and are in English already.
    new MutationObserver((changes) => {
        for (const change of changes) {
            if (change.type === "childList") change.addedNodes.forEach(read);
            else if (change.type === "attributes") readNames(change.target);
            else readText(change.target);
        }
    }).observe(document.documentElement, {
        childList: true,
        subtree: true,
        characterData: true,
        attributes: true,
        attributeFilter: ["aria-label", "placeholder", "title"],
    });
})();
