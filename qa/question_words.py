"""French nouns that tell what a question asks for, folded (lower case, no accents).

"Quel ministre …" asks who, "Quelle ville …" where, "Quel prix …" how many. Closed lists of frequent nouns, plus the
endings by which French forms names of people, so that a role that is not listed is still read as one.
"""

from __future__ import annotations

from qa.types import Kind
from qa.word_classes import word_list

__all__ = ["PRENOMINAL", "noun_kind"]


PRENOMINAL = word_list(
    "grand grande grands grandes petit petite petits petites jeune jeunes vieux vieil vieille ancien ancienne"
    " anciens anciennes celebre celebres nouveau nouvel nouvelle nouveaux nouvelles autre autres premier premiere"
    " premiers premieres dernier derniere derniers dernieres seul seule seuls seules deux trois quatre cinq six"
    " sept huit neuf dix futur future futurs futures bon bonne meilleur meilleure beau belle gros grosse haut"
    " haute ex meme vrai vraie propre riche fameux fameuse important principal principale principaux principales"
    " second seconde deuxieme troisieme possible tres plus le la les l un une des"
)

_WHO = word_list(
    "maire ministre depute deputee elu elue elus chef cheffe candidat candidate candidats patron patronne"
    " secretaire president presidente pilote membre membres magistrat magistrate leader medecin homme femme hommes"
    " femmes gouverneur proche adjoint adjointe avocat avocate artiste prefet prefete porte-parole comedien"
    " cineaste garde footballeur fille fils garcon personnalite personnage personnes personne procureur procureure"
    " star mere pere frere soeur sœur photographe juge figure enseignant enseignante conseiller conseillere ami"
    " amie agriculteur vice-president vedette styliste sportif sportive specialiste souverain souveraine roi reine"
    " prince princesse empereur pape rival rivale reporter prof partenaire opposant opposante miss milliardaire"
    " militant militante militaire internaute general expert experte eurodepute eurodeputee epouse epoux mari"
    " enfant collegue compagne compagnon coach champion championne cardinal archeveque eveque pretre cure rabbin"
    " imam allie alliee youtubeur veteran vainqueur terroriste suppleant suspect suspects sherif scientifique"
    " salarie salariee recteur rappeur questeur poete philosophe pdg parent parents neurologue laureat laureate"
    " gendarme flic etudiant etudiante lyceen lyceenne collegien edile diplomate dame danseuse defenseur cousin"
    " cousine concurrent concurrente comique colistier chirurgien celebrite associe associee assassin architecte"
    " arbitre adversaire ambassadeur ambassadrice victime victimes heros heroine socialiste ecologiste senateur"
    " senatrice parlementaire parlementaires responsable responsables dirigeant dirigeante dirigeants delegue"
    " deleguee temoin coupable locataire proprietaire chauffeur marin capitaine colonel commandant commissaire"
    " policier policiere pompier maitre titulaire predecesseur successeur predecesseure mannequin animateur"
    " cuisinier chancelier chanceliere dauphin tetes tete duc duchesse comte comtesse universitaire agent"
    " fonctionnaire maman papa ecrivain artisan manager oncle tante grade intrus jumeaux communicante bambin"
    " aieule aieul petit-fils neveu niece veuve veuf secouriste otage chanteur humoriste explorateur savant"
    " compositeur peintre genie individu gens peuple ethnie saint sainte dieu deesse"
)
_WHEN = word_list(
    "annee annees date dates jour jours heure heures moment periode echeance mois saison soir soiree horizon"
    " epoque siecle decennie semaine week-end journee matin lendemain delai millesime anniversaire"
)
_WHERE = word_list(
    "ville villes commune communes pays village villages hopital endroit endroits station departement"
    " departements quartier quartiers region regions salle etablissement usine ile iles arrondissement rue coin"
    " place lieu lieux eglise prison gare etat etats salon circuit aeroport zone zones port parc monument etage"
    " capitale autoroute territoire route quai province pont plage massif juridiction gendarmerie ecole college"
    " caserne batiment tribunal stade sommet secteur resto restaurant peage palace musee montagne maternite"
    " localite localites hotel fac depot cite centre bourg bar adresse troquet theatre sanctuaire riviere fleuve"
    " mer ocean residence raffinerie prefecture piscine mairie magasin lycee lac jardin jardins hameau foyer foret"
    " enceinte domaine continent commissariat clinique circonscription cimetiere chu centrale brigade bourgade"
    " boulevard bois avenue artere aerodrome planete desert galerie chateau cathedrale canton comte vallee cote"
    " bout universite siege"
)
_HOW_MANY = word_list(
    "age ages part parts proportion somme vitesse prix quantite distance pourcentage score taux hauteur duree"
    " temperature temperatures surface puissance epaisseur niveau montant montants poids longueur largeur budget"
    " taille cote tarif tarifs superficie rang profondeur seuil salaire salaires rythme nombre nombres magnitude"
    " decalage bonus bilan volume remuneration ristourne remise rafales pot-de-vin patrimoine moyenne loyer"
    " kilometrage hausse baisse gain gains frequence fourchette enveloppe echelon dividende difference deficit"
    " dedommagement debit caution cadence cachet autonomie altitude audience population effectif effectifs cout"
    " couts total combien chiffre chiffres recette recettes benefice benefices dette ecart capacite dimension"
    " dimensions diametre rayon densite indice esperance amende indemnite jackpot cagnotte consommation ventes"
    " tirage note popularite affluence participation abstention frais depense depenses perte pertes envergure"
    " pression intensite ratio quota quotient plafond valeur valorisation fortune majorite record"
)
_WHY = word_list(
    "raison raisons motif motifs but cause causes mobile excuse argument explication explications interet objectif"
)
_HOW = word_list(
    "facon facons maniere manieres moyen moyens biais procede procedes circonstances intermediaire methode methodes"
)
_WHAT = word_list(
    "couleur moteur facteur chaleur odeur erreur horreur faveur honneur peur douleur fleur coeur tumeur humeur"
    " rumeur liqueur ordinateur appareil accelerateur tracteur livre titre film serie chanson organisation"
    " histoire memoire matiere maladie manifestation action emission voiture modele poste journal mot groupe"
    " surnom parti genre type texte sujet metier profession liste piste langue langage religion mission tradition"
    " condition ion lien bien rien ancien soutien entretien maintien quotidien aspirateur refrigerateur radiateur"
    " compteur capteur secteur logiciel article discipline loi mesure decision ingredient element document"
    " logement evenement traitement mouvement equipement vetement aliment instrument gouvernement parlement"
    " sentiment changement langues accident incident interieur exterieur"
)
_TABLE: tuple[tuple[frozenset[str], Kind], ...] = (
    (_WHEN, "when"),
    (_WHERE, "where"),
    (_HOW_MANY, "how_many"),
    (_WHY, "why"),
    (_HOW, "how"),
    (_WHO, "who"),
    (_WHAT, "what"),
)
# Suffixes of names of people: Grevisse and Goosse, Le bon usage, 16th ed., part on suffixation ("noms d'agent").
_PERSON_ENDINGS = (
    "teur", "teurs", "trice", "trices", "eur", "eurs", "euse", "euses", "iste", "istes", "logue", "logues",
    "icien", "icienne", "iciens", "ologiste", "iatre", "iatres", "ier", "iere",
)  # fmt: skip


def noun_kind(noun: str) -> Kind:
    """Return what "quel" with this noun asks for: who, when, where, how_many, why, how, or what by default."""
    word = noun.removeprefix("ex-")
    for form in (word, word.removesuffix("s"), word.split("-")[0]):
        for nouns, kind in _TABLE:
            if form in nouns:
                return kind
    return "who" if word.endswith(_PERSON_ENDINGS) else "what"
