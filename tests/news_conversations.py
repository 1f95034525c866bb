"""Sixty conversations on the news, of two and three turns, written before the rules were tried on them.

75 % of their follow-ups were understood at first; the rules were mended with those that were not, and it is 91 % now.

Of each: the first question and its short answer, then follow-ups with what their reading must hold, what it must not,
and the short answer that the next one builds on. A reading of None stands by itself.
"""

from __future__ import annotations

__all__ = ["NEWS_CONVERSATIONS", "FollowUp"]

FollowUp = tuple[str, tuple[str, ...] | None, tuple[str, ...], str | None]

NEWS_CONVERSATIONS: tuple[tuple[str, str | None, tuple[FollowUp, ...]], ...] = (
    (
        "Quand la cathédrale Notre-Dame a-t-elle brûlé ?",
        "le 15 avril 2019",
        (
            ("Qui dirige sa restauration ?", ("Notre-Dame", "restauration"), (" sa ",), "Jean-Louis Georgelin"),
            ("Quand a-t-il été nommé ?", ("Jean-Louis Georgelin", "nommé"), (), None),
        ),
    ),
    (
        "Combien de manifestants ont défilé à Paris le 17 novembre 2018 ?",
        "8 000",
        (
            ("Et à Lyon ?", ("Lyon", "manifestants"), ("Paris",), "2 000"),
            ("Et le 24 novembre ?", ("24 novembre", "Lyon"), ("17 novembre",), None),
        ),
    ),
    (
        "Qui est le maire de Marseille ?",
        "Benoît Payan",
        (
            ("Depuis quand ?", ("Depuis quand", "Benoît Payan"), (), None),
            ("Et de Lyon ?", ("maire", "Lyon"), ("Marseille",), None),
        ),
    ),
    (
        "Qui a été condamné dans l'affaire Cahuzac ?",
        "Jérôme Cahuzac",
        (
            ("À quelle peine ?", ("quelle peine", "Cahuzac"), (), "quatre ans de prison"),
            ("Pourquoi ?", ("Pourquoi", "Cahuzac"), (), None),
        ),
    ),
    (
        "Quel est le budget de la Défense en 2019 ?",
        "35,9 milliards d'euros",
        (("Et en 2020 ?", ("2020", "budget"), ("2019",), None),),
    ),
    (
        "Qui a gagné le Tour de France 2019 ?",
        "Egan Bernal",
        (
            ("Quel âge a-t-il ?", ("âge", "Egan Bernal"), (), "22 ans"),
            ("Pour quelle équipe court-il ?", ("équipe", "Bernal"), (), None),
        ),
    ),
    (
        "Où le président a-t-il prononcé son discours sur l'Europe ?",
        "à la Sorbonne",
        (
            ("Quand ?", ("Quand", "discours"), ("Où",), None),
            ("Qu'a-t-il proposé ?", ("proposé", "président"), (), None),
        ),
    ),
    (
        "Combien de personnes sont mortes dans l'effondrement de la rue d'Aubagne ?",
        "huit",
        (("Quand s'est-il produit ?", ("effondrement", "Quand"), ("Combien",), None),),
    ),
    (
        "Pourquoi les pompiers sont-ils en grève ?",
        "le manque d'effectifs",
        (
            ("Depuis quand ?", ("Depuis quand", "pompiers", "grève"), ("Pourquoi",), "juin"),
            ("Qui les soutient ?", ("pompiers", "soutient"), (), None),
        ),
    ),
    (
        "Qui a annoncé la fermeture de Fessenheim ?",
        "François de Rugy",
        (("Quand l'a-t-il annoncée ?", ("François de Rugy", "Fessenheim"), (), None),),
    ),
    ("Combien de loups vivent en France ?", "530", (("Et en Italie ?", ("Italie", "loups"), ("France",), None),)),
    (
        "Quel est le taux de chômage en Espagne ?",
        "14 %",
        (
            ("Et en Allemagne ?", ("Allemagne", "taux de chômage"), ("Espagne",), None),
            ("Et en Italie ?", ("Italie", "taux de chômage"), ("Allemagne",), None),
        ),
    ),
    (
        "Qui est Greta Thunberg ?",
        "une militante suédoise",
        (
            ("Quel âge a-t-elle ?", ("Greta Thunberg", "âge"), (), "16 ans"),
            ("Qu'a-t-elle dit à l'ONU ?", ("Greta Thunberg", "ONU"), (), None),
        ),
    ),
    (
        "Qui a remplacé Nicolas Hulot au ministère de la Transition écologique ?",
        "François de Rugy",
        (
            ("Quand ?", ("Quand", "François de Rugy"), (), None),
            ("Pourquoi a-t-il démissionné ?", ("démissionné",), (" il ",), None),
        ),
    ),
    (
        "Combien d'enfants ont été sauvés de la grotte en Thaïlande ?",
        "12",
        (
            ("Par qui ?", ("Par qui", "enfants"), ("Combien",), None),
            ("Combien de temps y sont-ils restés ?", ("enfants",), (), None),
        ),
    ),
    (
        "Quand le Royaume-Uni a-t-il quitté l'Union européenne ?",
        "le 31 janvier 2020",
        (
            ("Qui était Premier ministre ?", ("Premier ministre",), (), "Boris Johnson"),
            ("Qu'a-t-il déclaré ?", ("Boris Johnson", "déclaré"), (), None),
        ),
    ),
    (
        "Quelle entreprise rachète Alstom ?",
        "Siemens",
        (
            ("Pour quel montant ?", ("montant", "Alstom"), (), None),
            ("Qui s'y oppose ?", ("oppose", "Alstom"), (), None),
        ),
    ),
    (
        "Qui a marqué le but de la victoire en finale de la Coupe du monde féminine ?",
        "Megan Rapinoe",
        (
            ("À quelle minute ?", ("minute", "but"), ("Qui a",), None),
            ("Où joue-t-elle ?", ("Megan Rapinoe", "joue"), (), None),
        ),
    ),
    (
        "Combien coûte le Grand Paris Express ?",
        "35 milliards d'euros",
        (
            ("Quand sera-t-il terminé ?", ("Grand Paris Express", "terminé"), (), None),
            ("Qui le finance ?", ("finance", "Grand Paris Express"), (), None),
        ),
    ),
    (
        "Qui a assassiné Samuel Paty ?",
        "Abdoullakh Anzorov",
        (
            ("Où ?", ("Où", "Samuel Paty"), (), "Conflans-Sainte-Honorine"),
            ("Quand ?", ("Quand", "Samuel Paty"), ("Où",), None),
        ),
    ),
    (
        "Quel juge instruit l'affaire Benalla ?",
        None,
        (("Et l'affaire des écoutes ?", ("affaire des écoutes", "juge"), ("Benalla",), None),),
    ),
    (
        "Combien de cas de coronavirus la France comptait-elle le 1er mars 2020 ?",
        "130",
        (
            ("Et l'Italie ?", ("Italie", "coronavirus"), ("France",), "1 694"),
            ("Et le 8 mars ?", ("8 mars", "Italie"), ("1er mars",), None),
        ),
    ),
    ("Quel pays accueille la COP25 ?", "l'Espagne", (("Et la COP26 ?", ("COP26",), ("COP25",), None),)),
    (
        "Qui a écrit « Sérotonine » ?",
        "Michel Houellebecq",
        (
            ("Quand est-il sorti ?", ("Sérotonine",), (), None),
            ("Qu'en dit la critique ?", ("critique", "Sérotonine"), (), None),
        ),
    ),
    (
        "Pourquoi Carlos Ghosn a-t-il été arrêté ?",
        "des soupçons de malversations",
        (
            ("Où ?", ("Où", "Carlos Ghosn"), ("Pourquoi",), "Tokyo"),
            ("Comment s'est-il enfui ?", ("Carlos Ghosn", "enfui"), (), None),
        ),
    ),
    (
        "Qui préside la Commission européenne ?",
        "Ursula von der Leyen",
        (
            ("Et le Conseil européen ?", ("Conseil européen", "préside"), ("Commission",), "Charles Michel"),
            ("De quel pays vient-il ?", ("Charles Michel", "pays"), (), None),
        ),
    ),
    (
        "Combien de soldats français sont déployés au Sahel ?",
        "4 500",
        (
            ("Et combien y sont morts ?", ("morts",), (), None),
            ("Qui les commande ?", ("soldats", "commande"), (), None),
        ),
    ),
    (
        "Quelle amende Google doit-il payer ?",
        "4,34 milliards d'euros",
        (("À qui ?", ("À qui", "Google"), (), None), ("Pourquoi ?", ("Pourquoi", "Google"), (), None)),
    ),
    (
        "Quand Johnny Hallyday est-il mort ?",
        "le 5 décembre 2017",
        (
            ("De quoi ?", ("De quoi", "Johnny Hallyday"), ("Quand",), None),
            ("Où est-il enterré ?", ("Johnny Hallyday", "enterré"), (), None),
        ),
    ),
    (
        "Qui a gagné les élections en Catalogne ?",
        "Ciudadanos",
        (
            ("Avec combien de sièges ?", ("sièges", "Catalogne"), (), None),
            ("Et en Andalousie ?", ("Andalousie", "élections"), ("Catalogne",), None),
        ),
    ),
    (
        "Qui a réalisé « Les Misérables » ?",
        "Ladj Ly",
        (
            ("Où a-t-il grandi ?", ("Ladj Ly", "grandi"), (), "Montfermeil"),
            ("Quel prix a-t-il reçu à Cannes ?", ("Cannes", "prix"), (" il ",), None),
        ),
    ),
    (
        "Combien de voyageurs la SNCF a-t-elle transportés pendant la grève ?",
        None,
        (("Et la RATP ?", ("RATP", "voyageurs"), ("SNCF",), None),),
    ),
    (
        "Où a eu lieu l'explosion de l'usine Lubrizol ?",
        "à Rouen",
        (
            ("Qu'est-ce qui y était stocké ?", ("stocké",), (" y ",), None),
            ("Quand ?", ("Quand", "Lubrizol"), ("Où",), None),
        ),
    ),
    (
        "Qui est le patron de Renault ?",
        "Luca de Meo",
        (
            ("D'où vient-il ?", ("Luca de Meo",), (" il ",), None),
            ("Et celui de Peugeot ?", ("Peugeot", "patron"), ("Renault",), "Carlos Tavares"),
        ),
    ),
    (
        "Quel est le prix du litre de gazole ?",
        "1,52 euro",
        (("Et de l'essence ?", ("essence", "prix"), ("gazole",), None),),
    ),
    (
        "Combien de députés ont voté la loi sur les fake news ?",
        "347",
        (
            ("Et contre ?", ("contre",), (), None),
            ("Quand a-t-elle été adoptée ?", ("loi", "adoptée"), ("Combien",), None),
        ),
    ),
    (
        "Qui a tué le journaliste Jamal Khashoggi ?",
        "un commando saoudien",
        (
            ("Où cela s'est-il passé ?", ("Où", "Jamal Khashoggi"), (), "au consulat d'Istanbul"),
            ("Qu'en dit Erdogan ?", ("Erdogan", "Khashoggi"), (), None),
        ),
    ),
    (
        "Quand la loi asile et immigration a-t-elle été promulguée ?",
        "le 10 septembre 2018",
        (
            ("Que prévoit-elle ?", ("loi asile", "prévoit"), (), None),
            ("Qui l'a défendue ?", ("loi asile", "défendue"), (), None),
        ),
    ),
    (
        "Quel club a recruté Neymar ?",
        "le PSG",
        (
            ("Pour combien ?", ("Pour combien", "Neymar"), (), "222 millions d'euros"),
            ("À quel club ?", ("club", "Neymar"), (), None),
        ),
    ),
    (
        "Combien d'habitants ont été évacués à cause des inondations dans l'Aude ?",
        "1 500",
        (
            ("Et combien sont morts ?", ("morts",), (), None),
            ("Quel village a été le plus touché ?", ("village",), (), None),
        ),
    ),
    (
        "Qui est le procureur de Paris ?",
        "Rémy Heitz",
        (
            ("Qui était son prédécesseur ?", ("prédécesseur",), (" son ",), "François Molins"),
            ("Que fait-il maintenant ?", ("François Molins",), (" il ",), None),
        ),
    ),
    (
        "Que prévoit la réforme des retraites ?",
        None,
        (
            ("Quand doit-elle entrer en vigueur ?", ("réforme des retraites", "vigueur"), (), None),
            ("Qui s'y oppose ?", ("réforme des retraites", "oppose"), (), None),
        ),
    ),
    (
        "Quelle est la température record à Montpellier ?",
        "45,9 degrés",
        (
            ("Quand a-t-elle été mesurée ?", ("température", "mesurée"), (), None),
            ("Et à Nîmes ?", ("Nîmes", "température"), ("Montpellier",), None),
        ),
    ),
    (
        "Qui a découvert le manuscrit de Proust ?",
        "Bernard de Fallois",
        (("Où l'a-t-il trouvé ?", ("Bernard de Fallois", "manuscrit"), (), None),),
    ),
    (
        "Combien de ruches ont été détruites en 2018 ?",
        "120 000",
        (
            ("Pourquoi ?", ("Pourquoi", "ruches"), ("Combien",), None),
            ("Dans quelle région ?", ("région", "ruches"), ("Combien",), None),
        ),
    ),
    (
        "Qui dirige le FMI ?",
        "Christine Lagarde",
        (
            ("Et la BCE ?", ("BCE", "dirige"), ("FMI",), "Mario Draghi"),
            ("Quand part-il ?", ("Mario Draghi", "part"), (), None),
        ),
    ),
    (
        "Quels pays ont reconnu Juan Guaido ?",
        None,
        (
            ("Et la Russie ?", ("Russie", "Guaido"), (), None),
            ("Qu'a-t-il demandé à l'armée ?", ("Juan Guaido", "armée"), (), None),
        ),
    ),
    (
        "Quand le porte-avions Charles-de-Gaulle est-il revenu à Toulon ?",
        "le 12 avril 2020",
        (
            ("Combien de marins étaient malades ?", ("marins", "malades"), (), None),
            ("D'où revenait-il ?", ("Charles-de-Gaulle", "revenait"), (), None),
        ),
    ),
    (
        "Combien de personnes travaillent à l'usine Ford de Blanquefort ?",
        "850",
        (
            ("Qui veut la reprendre ?", ("usine Ford", "reprendre"), (), "Punch"),
            ("Pour quel prix ?", ("prix",), (), None),
        ),
    ),
    (
        "Qui a été élue Miss France 2019 ?",
        "Vaimalama Chaves",
        (
            ("D'où vient-elle ?", ("Vaimalama Chaves",), (" elle",), None),
            ("Et Miss France 2020 ?", ("Miss France 2020",), ("2019",), None),
        ),
    ),
    (
        "Pourquoi Air France a-t-elle annulé des vols ?",
        "une grève",
        (
            ("Combien ?", ("Combien", "vols"), ("Pourquoi",), None),
            ("Et Ryanair ?", ("Ryanair", "annulé"), ("Air France",), None),
        ),
    ),
    (
        "Qui a remporté le prix Goncourt 2018 ?",
        "Nicolas Mathieu",
        (
            ("Pour quel livre ?", ("livre", "Nicolas Mathieu"), (), "Leurs enfants après eux"),
            ("Et le prix Renaudot ?", ("Renaudot",), ("Goncourt",), None),
        ),
    ),
    (
        "Où le pape François s'est-il rendu en janvier 2019 ?",
        "au Panama",
        (
            ("Et en février ?", ("février", "pape François"), ("janvier",), None),
            ("Qu'y a-t-il dit ?", ("pape François", "dit"), (), None),
        ),
    ),
    (
        "Combien de gilets jaunes ont été blessés ?",
        "2 500",
        (("Et de policiers ?", ("policiers", "blessés"), ("gilets jaunes",), None),),
    ),
    (
        "Quand Alexandre Benalla a-t-il été mis en examen ?",
        "le 22 juillet 2018",
        (
            ("Pour quels faits ?", ("faits", "Benalla"), ("Quand",), None),
            ("Qui est son avocat ?", ("avocat", "Benalla"), (" son ",), None),
        ),
    ),
    (
        "Quel parti a gagné les élections européennes en France ?",
        "le Rassemblement national",
        (
            ("Avec quel score ?", ("score", "élections européennes"), (), None),
            ("Et en Allemagne ?", ("Allemagne", "élections européennes"), ("France",), None),
        ),
    ),
    (
        "Qui a créé l'application StopCovid ?",
        "l'Inria",
        (("Combien de personnes l'ont téléchargée ?", ("StopCovid", "personnes"), (), None),),
    ),
    (
        "Quelle peine a été requise contre Patrick Balkany ?",
        "sept ans de prison",
        (
            ("Et contre sa femme ?", ("femme", "peine"), (), None),
            ("Quand sera rendu le jugement ?", ("jugement",), (), None),
        ),
    ),
    (
        "Qui est le nouveau président de l'Algérie ?",
        "Abdelmadjid Tebboune",
        (
            ("Quand a-t-il été élu ?", ("Abdelmadjid Tebboune", "élu"), (), None),
            ("Avec quel pourcentage ?", ("pourcentage", "Tebboune"), (), None),
        ),
    ),
    (
        "Combien de tonnes de nitrate d'ammonium ont explosé à Beyrouth ?",
        "2 750 tonnes",
        (
            ("Quand ?", ("Quand", "Beyrouth"), ("Combien",), None),
            ("Qui gagnera la Ligue des champions ?", None, (), None),
        ),
    ),
)
