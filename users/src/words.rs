//! Word lists of the generator: a few per nationality, enough to bring every script and quirk of the real service.
//!
//! What a pipeline gets wrong is in here on purpose: Persian script, an apostrophe at the start of a surname,
//! quotes inside one, diacritics, the Turkish dotless i.

/// What the generator knows about one of the service's nationalities.
#[derive(Debug)]
pub struct Nation {
    /// Two upper-case letters, the `nat` of the document.
    pub code: &'static str,
    /// English name of the country.
    pub country: &'static str,
    /// Name of the national id; empty where the service gives none, and then its value is null.
    pub id_name: &'static str,
    /// Form of its value; empty where it follows from the person or there is none.
    pub id_form: &'static str,
    /// First names of men.
    pub men: &'static [&'static str],
    /// First names of women.
    pub women: &'static [&'static str],
    /// Surnames.
    pub surnames: &'static [&'static str],
    /// Streets.
    pub streets: &'static [&'static str],
    /// Cities with the state that the service would put beside them.
    pub cities: &'static [(&'static str, &'static str)],
    /// Form of telephone numbers: `#` stands for a digit, `A` for an upper-case letter, `[235]` for one of these. The
    /// letters in those of Canada and Ukraine are the service's.
    pub phone: &'static str,
    /// Form of mobile telephone numbers.
    pub cell: &'static str,
}

macro_rules! nation {
    ($code:literal $country:literal id $id:literal $id_form:literal phone $phone:literal cell $cell:literal
     men $men:tt women $women:tt surnames $surnames:tt streets $streets:tt cities $cities:tt) => {
        Nation {
            code: $code,
            country: $country,
            id_name: $id,
            id_form: $id_form,
            phone: $phone,
            cell: $cell,
            men: &$men,
            women: &$women,
            surnames: &$surnames,
            streets: &$streets,
            cities: &$cities,
        }
    };
}

/// All nationalities of API 1.4, in the service's order.
pub const NATIONS: &[Nation] = &[
    nation! { "AU" "Australia" id "TFN" "#########" phone "0#-####-####" cell "04##-###-###"
    men ["Liam", "Noel"] women ["Isla", "Zoe"] surnames ["Harper", "O'Dowd"] streets ["Wattle St", "Fern Ave"]
    cities [("Hobart", "Tasmania"), ("Cairns", "Queensland")] },
    nation! { "BR" "Brazil" id "CPF" "###.###.###-##" phone "(##) ####-####" cell "(##) ####-####"
    men ["João", "Caio"] women ["Inês", "Luíza"] surnames ["da Conceição", "Araújo"] streets ["Rua São João", "Avenida Ipê"]
    cities [("São Luís", "Maranhão"), ("Maringá", "Paraná")] },
    nation! { "CA" "Canada" id "SIN" "" phone "A## A##-####" cell "A## A##-####"
    men ["Hugo", "Owen"] women ["Chloé", "Maya"] surnames ["Côté", "Fraser"] streets ["Maple Ave", "Queen St"]
    cities [("Montréal", "Québec"), ("Regina", "Saskatchewan")] },
    nation! { "CH" "Switzerland" id "AVS" "756.####.####.##" phone "07[56789] ### ## ##" cell "07[56789] ### ## ##"
    men ["Jürg", "Loïc"] women ["Zoé", "Käthi"] surnames ["Müller", "Lüthi"] streets ["Rue du Château", "Bahnhofplatz"]
    cities [("Genève", "Genève"), ("Zürich", "Zürich")] },
    nation! { "DE" "Germany" id "SVNR" "" phone "0###-#######" cell "017#-#######"
    men ["Jörg", "Emil"] women ["Änne", "Greta"] surnames ["Weiß", "Schröder"] streets ["Mühlenweg", "Goethestraße"]
    cities [("Köln", "Nordrhein-Westfalen"), ("Görlitz", "Sachsen")] },
    nation! { "DK" "Denmark" id "CPR" "" phone "########" cell "########"
    men ["Søren", "Aksel"] women ["Åse", "Freja"] surnames ["Sørensen", "Møller"] streets ["Ågade", "Kærvej"]
    cities [("Ærøskøbing", "Syddanmark"), ("Århus", "Midtjylland")] },
    nation! { "ES" "Spain" id "DNI" "########-A" phone "9##-###-###" cell "6##-###-###"
    men ["Íñigo", "Álvaro"] women ["Begoña", "Lucía"] surnames ["Núñez", "Ibáñez"] streets ["Calle de Alcalá", "Paseo del Niño"]
    cities [("Logroño", "La Rioja"), ("Málaga", "Andalucía")] },
    nation! { "FI" "Finland" id "HETU" "" phone "0[23456789]-###-###" cell "04#-###-##-##"
    men ["Väinö", "Onni"] women ["Päivi", "Aino"] surnames ["Hämäläinen", "Mäkelä"] streets ["Hämeenkatu", "Mäkitie"]
    cities [("Jyväskylä", "Central Finland"), ("Hyvinkää", "Uusimaa")] },
    nation! { "FR" "France" id "INSEE" "" phone "0[12345]-##-##-##-##" cell "06-##-##-##-##"
    men ["Noé", "François"] women ["Élise", "Maëlle"] surnames ["Lefèvre", "D'Angelo"] streets ["Rue de l'Abbaye", "Place du Marché"]
    cities [("Nîmes", "Gard"), ("Saint-Étienne", "Loire")] },
    nation! { "GB" "United Kingdom" id "NINO" "[ABCEGHJKLMNOPRSTWXYZ][ABCEGHJKLMNPRSTWXYZ] ## ## ## A" phone "01### ######" cell "07### ######"
    men ["Alfie", "Rhys"] women ["Siân", "Poppy"] surnames ["O'Neill", "Whitfield"] streets ["Church Lane", "King's Road"]
    cities [("Truro", "Cornwall"), ("Ely", "Cambridgeshire")] },
    nation! { "IE" "Ireland" id "PPS" "#######T" phone "0[1234567]1-###-####" cell "081-###-####"
    men ["Seán", "Oisín"] women ["Siobhán", "Róisín"] surnames ["O'Sullivan", "Ní Bhriain"] streets ["Patrick Street", "The Grove"]
    cities [("Dún Laoghaire", "Dún Laoghaire–Rathdown"), ("Sligo", "Sligo")] },
    nation! { "IN" "India" id "UIDAI" "############" phone "[789]#########" cell "[789]#########"
    men ["Arjun", "Rohan"] women ["Anaya", "Meera"] surnames ["Shetty", "Kulkarni"] streets ["MG Rd", "Link Rd"]
    cities [("Mysuru", "Karnataka"), ("Nashik", "Maharashtra")] },
    nation! { "IR" "Iran" id "" "" phone "0##-########" cell "09##-###-####"
    men ["آرش", "محمدطاها"] women ["نیلوفر", "ستایش"] surnames ["حسینی", "گلشن"] streets ["شهید رجایی", "میدان آزادی"]
    cities [("تهران", "گیلان"), ("شیراز", "فارس")] },
    nation! { "MX" "Mexico" id "NSS" "## ## ## #### #" phone "(6##) ### ####" cell "(6##) ### ####"
    men ["Ramón", "Iván"] women ["Ximena", "Sofía"] surnames ["Ordóñez", "Peña"] streets ["Calzada Águila", "Avenida Juárez"]
    cities [("Mérida", "Yucatán"), ("Querétaro", "Querétaro")] },
    nation! { "NL" "Netherlands" id "BSN" "########" phone "(###)-###-####" cell "(###)-###-####"
    men ["Sjoerd", "Daan"] women ["Fleur", "Anouk"] surnames ["'t Hart", "van 't Zand"] streets ["Prins Bernhardstraat", "'s-Gravenweg"]
    cities [("'s-Hertogenbosch", "Noord-Brabant"), ("IJmuiden", "Noord-Holland")] },
    nation! { "NO" "Norway" id "FN" "" phone "[235678]#######" cell "[49]#######"
    men ["Bjørn", "Håkon"] women ["Ragnhild", "Ylva"] surnames ["Ødegård", "Bråten"] streets ["Åsveien", "Kjølberggata"]
    cities [("Ålesund", "Møre og Romsdal"), ("Bodø", "Nordland")] },
    nation! { "NZ" "New Zealand" id "" "" phone "(###)-###-####" cell "(###)-###-####"
    men ["Wiremu", "Jack"] women ["Aroha", "Ruby"] surnames ["Tāmihana", "Clarke"] streets ["Karangahape Road", "Moa Street"]
    cities [("Whangārei", "Northland"), ("Timaru", "Canterbury")] },
    nation! { "RS" "Serbia" id "SID" "#########" phone "0[123]#-####-###" cell "06#-####-###"
    men ["Đorđe", "Miloš"] women ["Anđela", "Željka"] surnames ["Živković", "Đurić"] streets ["Učiteljska", "Šajkaška"]
    cities [("Čačak", "Moravica"), ("Niš", "Nišava")] },
    nation! { "TR" "Turkey" id "" "" phone "(###)-###-####" cell "(###)-###-####"
    men ["Yağız", "Işık"] women ["Çağla", "Gülşen"] surnames ["Öztürk", "Kılıç"] streets ["Atatürk Sk", "Bağdat Cd"]
    cities [("İzmir", "İzmir"), ("Iğdır", "Iğdır")] },
    nation! { "UA" "Ukraine" id "" "" phone "(0[69][678]) A##-####" cell "(0[69][678]) A##-####"
    men ["Орест", "Лук'ян"] women ["Соломія", "Ївга"] surnames ["Дем'яненко", "Гриценко"] streets ["вулиця Ярославів Вал", "провулок Різдвяний"]
    cities [("Кам'янське", "Дніпропетровська"), ("Київ", "Київська")] },
    nation! { "US" "United States" id "SSN" "" phone "([23456789]##) [23456789]##-####" cell "([23456789]##) [23456789]##-####"
    men ["Earl", "Marcus"] women ["Hattie", "Brooke"] surnames ["St. James", "McAllister"] streets ["Mill Creek Rd", "Oak Ridge Ln"]
    cities [("Boise", "Idaho"), ("El Paso", "Texas")] },
];

/// The service's fixed pairs of time zone offset and description: hours carry no leading zero, and `+12:00` is missing.
pub const TIMEZONES: &[(&str, &str)] = &[
    ("-12:00", "Eniwetok, Kwajalein"),
    ("-11:00", "Midway Island, Samoa"),
    ("-10:00", "Hawaii"),
    ("-9:00", "Alaska"),
    ("-8:00", "Pacific Time (US & Canada)"),
    ("-7:00", "Mountain Time (US & Canada)"),
    ("-6:00", "Central Time (US & Canada), Mexico City"),
    ("-5:00", "Eastern Time (US & Canada), Bogota, Lima"),
    ("-4:00", "Atlantic Time (Canada), Caracas, La Paz"),
    ("-3:30", "Newfoundland"),
    ("-3:00", "Brazil, Buenos Aires, Georgetown"),
    ("-2:00", "Mid-Atlantic"),
    ("-1:00", "Azores, Cape Verde Islands"),
    ("0:00", "Western Europe Time, London, Lisbon, Casablanca"),
    ("+1:00", "Brussels, Copenhagen, Madrid, Paris"),
    ("+2:00", "Kaliningrad, South Africa"),
    ("+3:00", "Baghdad, Riyadh, Moscow, St. Petersburg"),
    ("+3:30", "Tehran"),
    ("+4:00", "Abu Dhabi, Muscat, Baku, Tbilisi"),
    ("+4:30", "Kabul"),
    ("+5:00", "Ekaterinburg, Islamabad, Karachi, Tashkent"),
    ("+5:30", "Bombay, Calcutta, Madras, New Delhi"),
    ("+5:45", "Kathmandu"),
    ("+6:00", "Almaty, Dhaka, Colombo"),
    ("+7:00", "Bangkok, Hanoi, Jakarta"),
    ("+8:00", "Beijing, Perth, Singapore, Hong Kong"),
    ("+9:00", "Tokyo, Seoul, Osaka, Sapporo, Yakutsk"),
    ("+9:30", "Adelaide, Darwin"),
    ("+10:00", "Eastern Australia, Guam, Vladivostok"),
    ("+11:00", "Magadan, Solomon Islands, New Caledonia"),
];

/// First halves of user names.
pub const ADJECTIVES: &[&str] = &["quiet", "amber", "brave", "dusty", "lucky", "silver", "tiny", "wild"];

/// Second halves of user names.
pub const ANIMALS: &[&str] = &["otter", "heron", "badger", "lynx", "gecko", "swan", "moose", "wren"];

/// Passwords of people for whom no rule was asked: the kind that is guessed first.
pub const PASSWORDS: &[&str] = &[
    "sunshine", "hunter", "letmein", "dragon1", "qwerty", "monkey", "iloveyou", "trustme", "shadow",
    "password",
];
