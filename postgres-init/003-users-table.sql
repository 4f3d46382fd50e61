-- One row per person, in the shape of a randomuser.me document (API 1.4).
-- No trigger keeps updated_at and version: whoever changes a row sets them, as the feeder does.
CREATE TABLE IF NOT EXISTS public.users (
    id                   uuid PRIMARY KEY,            -- login.uuid
    gender               text NOT NULL,
    name_title           text NOT NULL,
    name_first           text NOT NULL,
    name_last            text NOT NULL,
    street_number        integer NOT NULL,
    street_name          text NOT NULL,
    city                 text NOT NULL,
    state                text NOT NULL,
    country              text NOT NULL,
    postcode             text NOT NULL,               -- a number or a string in the document: 0001 must keep its zeros
    latitude             numeric(8, 4) NOT NULL,      -- a string with four decimals in the document
    longitude            numeric(8, 4) NOT NULL,
    timezone_offset      text NOT NULL,               -- "+5:45", "0:00": hours without a leading zero
    timezone_description text NOT NULL,
    email                text NOT NULL,               -- not unique in the real data either
    username             text NOT NULL,
    dob                  timestamptz NOT NULL,
    registered           timestamptz NOT NULL,
    phone                text,
    cell                 text,
    national_id_name     text NOT NULL,               -- empty where the country has none: IR, NZ, TR, UA
    national_id_value    text,
    picture_url          text,
    nat                  text NOT NULL,               -- two upper-case letters
    raw                  jsonb NOT NULL,              -- the document without its password, salt and hashes; large ones are stored out of line (TOAST)
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    version              integer NOT NULL DEFAULT 1
);

ALTER TABLE public.users OWNER TO users_app;

-- Every update and delete carries the whole row before it. Whoever keeps running totals of the change stream needs that
-- (a move takes one person from a country and gives one to another), and only so does a change of the key carry a large
-- value that it leaves alone. The price is WAL: the old row is logged with each change, out-of-line values included.
ALTER TABLE public.users REPLICA IDENTITY FULL;
