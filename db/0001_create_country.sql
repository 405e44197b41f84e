-- Countries of ISO 3166-1. The rows are in seed/010_country.csv.
create table if not exists country (
    code text not null,           -- alpha-2: 'CH'
    alpha3 text not null,         -- alpha-3: 'CHE'
    numeric_code text not null,   -- text, for its leading zeros: '036'
    name text not null,           -- English short name
    constraint country_pkey primary key (code),
    constraint country_alpha3_unique unique (alpha3),
    constraint country_numeric_code_unique unique (numeric_code),
    constraint country_code_form check (length(code) = 2 and code = upper(code)),
    constraint country_alpha3_form check (length(alpha3) = 3 and alpha3 = upper(alpha3)),
    constraint country_numeric_code_form check (length(numeric_code) = 3)
);
