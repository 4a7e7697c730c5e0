"""Small documents of our own for the offline Claude's tests: one of each kind, some in other languages."""

DOCUMENTS = {
    ("invoice", "en"): """Harbour & Reed Ltd
INVOICE
Invoice number: HR-2041        Invoice date: 3 March 2026
Bill to: Northwind Bakery, 12 Mill Lane

Oak shelving, 6 metres      6   48.00   288.00
Fitting, half a day         1  160.00   160.00
Subtotal 448.00   VAT 20 % 89.60
Amount due: GBP 537.60. Payment is due within 30 days.
""",
    ("purchase_order", "en"): """PURCHASE ORDER
PO number: 7781-B   Order date: 14 April 2026
Vendor: Fennel Paper Supplies      Ship to: Northwind Bakery, 12 Mill Lane
Please supply the following goods and confirm the delivery date.
Kraft bags, small   2,000   unit price 0.04
Requested by the buyer: J. Okafor
""",
    ("expense_report", "en"): """Expense report
Employee: Mina Duarte   Department: Sales
Purpose of travel: trade fair in Lyon, 9 to 11 May 2026
Train 84.20, hotel 212.00, taxi 18.50, meals at the per diem rate 96.00
Total claimed for reimbursement: EUR 410.70. Receipts are attached.
""",
    ("contract", "en"): """CONSULTING AGREEMENT
This Agreement is entered into by and between Osprey Ltd and Dana Whitfield (the parties).
The Consultant shall provide the services in Annex A. Either party may terminate this Agreement on
thirty days' notice. The governing law is the law of Ireland. In witness whereof the parties have
executed this Agreement on the effective date.
""",
    ("resume", "en"): """Tomasz Adler
Curriculum Vitae
Work experience
2021 to now: warehouse planner at Kestrel Freight. Led a team of six.
2018 to 2021: dispatcher at Lindqvist AB.
Education: Bachelor of Logistics, University of Lund
Skills: route planning, SQL, fluent in Swedish and Polish. References available on request.
""",
    ("meeting_minutes", "en"): """Minutes of the garden committee, 6 June 2026
Attendees: Ines, Paul, Rosa. Apologies: Karim.
Agenda: 1. Water tank 2. Autumn planting
The water tank was discussed; Paul moved that we repair it, Rosa seconded, carried.
Action items: Ines asks for two quotes. Next meeting on 4 July. The meeting adjourned at 19:40.
""",
    ("report", "en"): """Quarterly report on bicycle counts
Executive summary: counts rose by 8 percent over the same quarter of last year.
Methodology: sensors at 14 crossings. Findings: the harbour bridge accounts for half of the growth.
Results by month are in table 2. Conclusion and recommendations: widen the lane on Quay Street.
""",
    ("manual", "en"): """Kettle K2 user manual
Installation: place the base on a dry surface and plug it in.
Step 1: press the lid button. Step 2: fill with water up to the mark. Step 3: press start.
Troubleshooting: if the light blinks, follow these instructions to remove lime.
""",
    ("policy", "en"): """Remote work policy
Scope: this policy applies to all employees.
Staff must not share company laptops. Personal data may not be stored on private devices.
Violations of this policy are a compliance matter and may lead to disciplinary action.
""",
    ("support_request", "en"): """Hello, since the last update the scanner app is not working on my tablet.
I get the error message "no device found" each time. Could you please help me, and how do I get a refund
if the problem cannot be solved? My order is 55-20.
""",
    ("letter", "en"): """Dear Ms Calloway,
Thank you for your kind visit in May. I am writing to say how much the children enjoyed your reading.
We look forward to hearing from you in the autumn.
Yours sincerely,
Edith Novak
""",
    ("form", "en"): """LIBRARY CARD APPLICATION FORM
Please print. Fill in all fields and check one box.
Last name: ____________  First name: ____________
Date of birth: ____________   Phone: ____________
[ ] adult  [ ] child
Signature of applicant: ______________   For office use only: ________
""",
    ("invoice", "de"): """Schreinerei Vogt GmbH
Rechnung Nr. 2026-118 vom 12.02.2026
Für die Montage der Regale berechnen wir Ihnen:
6 Stunden zu 52,00 EUR Einzelpreis, Gesamtbetrag 312,00 EUR zuzüglich 19 % MwSt.
Zahlbar innerhalb von 14 Tagen auf das unten angegebene Konto. IBAN DE00 0000 0000 0000
""",
    ("contract", "de"): """Mietvertrag
Zwischen dem Vermieter Karl Beck und der Mieterin Lena Sommer wird folgender Vertrag geschlossen.
Die Laufzeit beginnt am 1. Mai. Die Kündigung ist mit einer Frist von drei Monaten möglich.
Gerichtsstand ist Kassel. Die Vertragsparteien haben diese Vereinbarung unterschrieben.
""",
    ("invoice", "fr"): """Atelier du Port
Facture n° 2026-77 du 3 avril 2026
Réparation de deux chaises pour le compte de Mme Bertin
Total HT 180,00 €  TVA 20 % 36,00 €
Net à payer : 216,00 € avant le 3 mai 2026
""",
    ("resume", "fr"): """Camille Roussel
Expérience professionnelle
Depuis 2020 : cheffe de rayon dans une librairie à Nantes. Gestion des stocks et de l'équipe.
Formation : licence de lettres. Compétences : vente, informatique. Langues : anglais, espagnol.
""",
    ("letter", "es"): """Estimada señora Ortega:
Le escribo para agradecerle su visita de la semana pasada y la ayuda que nos prestó con los libros.
Quedamos a su disposición para lo que necesite.
Atentamente, Pablo Lema
""",
    ("meeting_minutes", "it"): """Verbale della riunione del condominio
Presenti: Rossi, Conti, Ferri. Ordine del giorno: tetto e cortile.
Si discute il preventivo per il tetto. La prossima riunione è fissata per il 9 settembre.
""",
    ("support_request", "nl"): """Goedemiddag, de printer in ons kantoor werkt niet meer na de update.
Ik krijg steeds een foutmelding. Kunt u mij helpen om het probleem op te lossen?
""",
    ("purchase_order", "de"): """Bestellung
Bestellnummer 4411, Lieferadresse: Lager Nord, Hafenstraße 3
Wir bestellen 200 Kartons. Bitte bestätigen Sie den Liefertermin.
""",
}
