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
    /// Form of telephone numbers: `#` stands for a digit.
    pub phone: &'static str,
}

macro_rules! nation {
    ($code:literal $country:literal $id:literal $phone:literal
     men $men:tt women $women:tt surnames $surnames:tt streets $streets:tt cities $cities:tt) => {
        Nation {
            code: $code,
            country: $country,
            id_name: $id,
            phone: $phone,
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
    nation! { "AU" "Australia" "TFN" "0#-####-####"
    men ["Liam", "Noel"] women ["Isla", "Zoe"] surnames ["Harper", "O'Dowd"] streets ["Wattle St", "Fern Ave"]
    cities [("Hobart", "Tasmania"), ("Cairns", "Queensland")] },
    nation! { "BR" "Brazil" "CPF" "(##) ####-####"
    men ["João", "Caio"] women ["Inês", "Luíza"] surnames ["da Conceição", "Araújo"] streets ["Rua São João", "Avenida Ipê"]
    cities [("São Luís", "Maranhão"), ("Maringá", "Paraná")] },
    nation! { "CA" "Canada" "SIN" "### ###-####"
    men ["Hugo", "Owen"] women ["Chloé", "Maya"] surnames ["Côté", "Fraser"] streets ["Maple Ave", "Queen St"]
    cities [("Montréal", "Québec"), ("Regina", "Saskatchewan")] },
    nation! { "CH" "Switzerland" "AVS" "0## ### ## ##"
    men ["Jürg", "Loïc"] women ["Zoé", "Käthi"] surnames ["Müller", "Lüthi"] streets ["Rue du Château", "Bahnhofplatz"]
    cities [("Genève", "Genève"), ("Zürich", "Zürich")] },
    nation! { "DE" "Germany" "SVNR" "0###-#######"
    men ["Jörg", "Emil"] women ["Änne", "Greta"] surnames ["Weiß", "Schröder"] streets ["Mühlenweg", "Goethestraße"]
    cities [("Köln", "Nordrhein-Westfalen"), ("Görlitz", "Sachsen")] },
    nation! { "DK" "Denmark" "CPR" "########"
    men ["Søren", "Aksel"] women ["Åse", "Freja"] surnames ["Sørensen", "Møller"] streets ["Ågade", "Kærvej"]
    cities [("Ærøskøbing", "Syddanmark"), ("Århus", "Midtjylland")] },
    nation! { "ES" "Spain" "DNI" "9##-###-###"
    men ["Íñigo", "Álvaro"] women ["Begoña", "Lucía"] surnames ["Núñez", "Ibáñez"] streets ["Calle de Alcalá", "Paseo del Niño"]
    cities [("Logroño", "La Rioja"), ("Málaga", "Andalucía")] },
    nation! { "FI" "Finland" "HETU" "0#-###-###"
    men ["Väinö", "Onni"] women ["Päivi", "Aino"] surnames ["Hämäläinen", "Mäkelä"] streets ["Hämeenkatu", "Mäkitie"]
    cities [("Jyväskylä", "Central Finland"), ("Hyvinkää", "Uusimaa")] },
    nation! { "FR" "France" "INSEE" "0#-##-##-##-##"
    men ["Noé", "François"] women ["Élise", "Maëlle"] surnames ["Lefèvre", "D'Angelo"] streets ["Rue de l'Abbaye", "Place du Marché"]
    cities [("Nîmes", "Gard"), ("Saint-Étienne", "Loire")] },
    nation! { "GB" "United Kingdom" "NINO" "0#### ######"
    men ["Alfie", "Rhys"] women ["Siân", "Poppy"] surnames ["O'Neill", "Whitfield"] streets ["Church Lane", "King's Road"]
    cities [("Truro", "Cornwall"), ("Ely", "Cambridgeshire")] },
    nation! { "IE" "Ireland" "PPS" "0##-###-####"
    men ["Seán", "Oisín"] women ["Siobhán", "Róisín"] surnames ["O'Sullivan", "Ní Bhriain"] streets ["Patrick Street", "The Grove"]
    cities [("Dún Laoghaire", "Dún Laoghaire–Rathdown"), ("Sligo", "Sligo")] },
    nation! { "IN" "India" "UIDAI" "##########"
    men ["Arjun", "Rohan"] women ["Anaya", "Meera"] surnames ["Shetty", "Kulkarni"] streets ["MG Rd", "Link Rd"]
    cities [("Mysuru", "Karnataka"), ("Nashik", "Maharashtra")] },
    nation! { "IR" "Iran" "" "0##-########"
    men ["آرش", "محمدطاها"] women ["نیلوفر", "ستایش"] surnames ["حسینی", "گلشن"] streets ["شهید رجایی", "میدان آزادی"]
    cities [("تهران", "گیلان"), ("شیراز", "فارس")] },
    nation! { "MX" "Mexico" "NSS" "(###) ### ####"
    men ["Ramón", "Iván"] women ["Ximena", "Sofía"] surnames ["Ordóñez", "Peña"] streets ["Calzada Águila", "Avenida Juárez"]
    cities [("Mérida", "Yucatán"), ("Querétaro", "Querétaro")] },
    nation! { "NL" "Netherlands" "BSN" "(0##) #######"
    men ["Sjoerd", "Daan"] women ["Fleur", "Anouk"] surnames ["'t Hart", "van 't Zand"] streets ["Prins Bernhardstraat", "'s-Gravenweg"]
    cities [("'s-Hertogenbosch", "Noord-Brabant"), ("IJmuiden", "Noord-Holland")] },
    nation! { "NO" "Norway" "FN" "########"
    men ["Bjørn", "Håkon"] women ["Ragnhild", "Ylva"] surnames ["Ødegård", "Bråten"] streets ["Åsveien", "Kjølberggata"]
    cities [("Ålesund", "Møre og Romsdal"), ("Bodø", "Nordland")] },
    nation! { "NZ" "New Zealand" "" "(###)-###-####"
    men ["Wiremu", "Jack"] women ["Aroha", "Ruby"] surnames ["Tāmihana", "Clarke"] streets ["Karangahape Road", "Moa Street"]
    cities [("Whangārei", "Northland"), ("Timaru", "Canterbury")] },
    nation! { "RS" "Serbia" "SID" "0##-####-###"
    men ["Đorđe", "Miloš"] women ["Anđela", "Željka"] surnames ["Živković", "Đurić"] streets ["Učiteljska", "Šajkaška"]
    cities [("Čačak", "Moravica"), ("Niš", "Nišava")] },
    nation! { "TR" "Turkey" "" "(###)-###-####"
    men ["Yağız", "Işık"] women ["Çağla", "Gülşen"] surnames ["Öztürk", "Kılıç"] streets ["Atatürk Sk", "Bağdat Cd"]
    cities [("İzmir", "İzmir"), ("Iğdır", "Iğdır")] },
    nation! { "UA" "Ukraine" "" "(0##) ###-####"
    men ["Орест", "Лук'ян"] women ["Соломія", "Ївга"] surnames ["Дем'яненко", "Гриценко"] streets ["вулиця Ярославів Вал", "провулок Різдвяний"]
    cities [("Кам'янське", "Дніпропетровська"), ("Київ", "Київська")] },
    nation! { "US" "United States" "SSN" "(###) ###-####"
    men ["Earl", "Marcus"] women ["Hattie", "Brooke"] surnames ["St. James", "McAllister"] streets ["Mill Creek Rd", "Oak Ridge Ln"]
    cities [("Boise", "Idaho"), ("El Paso", "Texas")] },
];

/// The service's fixed pairs of time zone offset and description: hours carry no leading zero.
pub const TIMEZONES: &[(&str, &str)] = &[
    ("-12:00", "Eniwetok, Kwajalein"),
    ("-9:00", "Alaska"),
    ("-5:00", "Eastern Time (US & Canada), Bogota, Lima"),
    ("-3:30", "Newfoundland"),
    ("-1:00", "Azores, Cape Verde Islands"),
    ("0:00", "Western Europe Time, London, Lisbon, Casablanca"),
    ("+3:30", "Tehran"),
    ("+5:45", "Kathmandu"),
    ("+9:30", "Adelaide, Darwin"),
    ("+11:00", "Magadan, Solomon Islands, New Caledonia"),
];

/// First halves of user names.
pub const ADJECTIVES: &[&str] = &["quiet", "amber", "brave", "dusty", "lucky", "silver", "tiny", "wild"];

/// Second halves of user names.
pub const ANIMALS: &[&str] = &["otter", "heron", "badger", "lynx", "gecko", "swan", "moose", "wren"];
