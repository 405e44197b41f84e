-- The schema as far as rows need it. Written by dbbuild, and loaded by it: not a script for psql.

--
-- Name: format_money(bigint, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.format_money(amount_minor bigint, minor_unit integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select round(amount_minor / power(10::numeric, minor_unit), minor_unit)::text
$$;

--
-- Name: FUNCTION format_money(amount_minor bigint, minor_unit integer); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.format_money(amount_minor bigint, minor_unit integer) IS 'Minor units as a decimal number';


--
-- Name: order_total_refresh(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.order_total_refresh() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if tg_op in ('UPDATE', 'DELETE') then
        update sales_order
        set total_minor = (
            select coalesce(sum(total_minor), 0) from order_line where order_id = old.order_id
        )
        where id = old.order_id;
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        update sales_order
        set total_minor = (
            select coalesce(sum(total_minor), 0) from order_line where order_id = new.order_id
        )
        where id = new.order_id;
    end if;
    return null;
end
$$;

--
-- Name: product_slug_fill(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.product_slug_fill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    update product
    set slug = lower(replace(replace(name, '''', ''), ' ', '-') || '-' || sku)
    where sku = new.sku and slug is null;
    return null;
end
$$;

--
-- Name: stock_on_hand_apply(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.stock_on_hand_apply() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if tg_op in ('INSERT', 'UPDATE') then
        insert into stock (sku, warehouse_code)
        values (new.sku, new.warehouse_code)
        on conflict (sku, warehouse_code) do nothing;
    end if;
    if tg_op = 'INSERT' then
        update stock set on_hand = on_hand + new.quantity
        where sku = new.sku and warehouse_code = new.warehouse_code;
    elsif tg_op = 'DELETE' then
        update stock set on_hand = on_hand - old.quantity
        where sku = old.sku and warehouse_code = old.warehouse_code;
    else
        update stock
        set on_hand = on_hand
            + case when sku = new.sku and warehouse_code = new.warehouse_code
                then new.quantity else 0 end
            - case when sku = old.sku and warehouse_code = old.warehouse_code
                then old.quantity else 0 end
        where (sku = new.sku and warehouse_code = new.warehouse_code)
            or (sku = old.sku and warehouse_code = old.warehouse_code);
    end if;
    return null;
end
$$;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: address; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.address (
    customer_id bigint NOT NULL,
    number integer NOT NULL,
    kind text DEFAULT 'home'::text NOT NULL,
    recipient text NOT NULL,
    line1 text NOT NULL,
    line2 text,
    postal_code text,
    city text NOT NULL,
    region text,
    country_code text NOT NULL,
    CONSTRAINT address_kind_known CHECK ((kind = ANY (ARRAY['home'::text, 'work'::text, 'pickup'::text]))),
    CONSTRAINT address_number_positive CHECK ((number > 0))
);

--
-- Name: TABLE address; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.address IS 'Addresses of customers, numbered per customer';


--
-- Name: COLUMN address.kind; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.address.kind IS 'home, work or pickup';


--
-- Name: category; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.category (
    code text NOT NULL,
    parent_code text,
    name text NOT NULL,
    CONSTRAINT category_parent_other CHECK ((parent_code <> code))
);

--
-- Name: TABLE category; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.category IS 'The tree of the catalogue';


--
-- Name: category_path; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.category_path AS
 WITH RECURSIVE path(code, path, depth) AS (
         SELECT category.code,
            category.name,
            1 AS "?column?"
           FROM public.category
          WHERE (category.parent_code IS NULL)
        UNION ALL
         SELECT child.code,
            ((path_1.path || ' / '::text) || child.name),
            (path_1.depth + 1)
           FROM (public.category child
             JOIN path path_1 ON ((path_1.code = child.parent_code)))
        )
 SELECT path.code,
    path.path,
    path.depth
   FROM path;

--
-- Name: country; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.country (
    code text NOT NULL,
    alpha3 text NOT NULL,
    numeric_code text NOT NULL,
    name text NOT NULL,
    CONSTRAINT country_alpha3_form CHECK (((length(alpha3) = 3) AND (alpha3 = upper(alpha3)))),
    CONSTRAINT country_code_form CHECK (((length(code) = 2) AND (code = upper(code)))),
    CONSTRAINT country_numeric_code_form CHECK ((length(numeric_code) = 3))
);

--
-- Name: TABLE country; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.country IS 'Countries of ISO 3166-1';


--
-- Name: COLUMN country.code; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.country.code IS 'Alpha-2 code, e.g. CH';


--
-- Name: COLUMN country.alpha3; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.country.alpha3 IS 'Alpha-3 code, e.g. CHE';


--
-- Name: COLUMN country.numeric_code; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.country.numeric_code IS 'Numeric code with its leading zeros, e.g. 036';


--
-- Name: currency; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.currency (
    code text NOT NULL,
    numeric_code text NOT NULL,
    minor_unit integer,
    name text NOT NULL,
    CONSTRAINT currency_code_form CHECK (((length(code) = 3) AND (code = upper(code)))),
    CONSTRAINT currency_minor_unit_range CHECK (((minor_unit >= 0) AND (minor_unit <= 4))),
    CONSTRAINT currency_numeric_code_form CHECK ((length(numeric_code) = 3))
);

--
-- Name: TABLE currency; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.currency IS 'Active currencies and funds of ISO 4217';


--
-- Name: COLUMN currency.minor_unit; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.currency.minor_unit IS 'Decimal places; null where the standard says "N.A."';


--
-- Name: price; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.price (
    sku text NOT NULL,
    currency_code text NOT NULL,
    valid_from date NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT price_amount_not_negative CHECK ((amount_minor >= 0)),
    CONSTRAINT price_valid_from_form CHECK (COALESCE((valid_from = valid_from), false))
);

--
-- Name: TABLE price; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.price IS 'Prices by product and currency, each from a day on';


--
-- Name: COLUMN price.amount_minor; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.price.amount_minor IS 'In the currency''s minor units';


--
-- Name: current_price; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.current_price AS
 SELECT p.sku,
    p.currency_code,
    p.amount_minor,
    p.valid_from
   FROM public.price p
  WHERE (p.valid_from = ( SELECT max(other.valid_from) AS max
           FROM public.price other
          WHERE ((other.sku = p.sku) AND (other.currency_code = p.currency_code) AND (other.valid_from <= CURRENT_DATE))));

--
-- Name: customer; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.customer (
    id bigint NOT NULL,
    email text NOT NULL,
    given_name text NOT NULL,
    family_name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    loyalty_points integer DEFAULT 0 NOT NULL,
    CONSTRAINT customer_email_form CHECK (((email ~~ '%_@_%'::text) AND (email = lower(email)))),
    CONSTRAINT customer_loyalty_points_not_negative CHECK ((loyalty_points >= 0))
);

--
-- Name: TABLE customer; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.customer IS 'People who have an account';


--
-- Name: COLUMN customer.email; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.customer.email IS 'In lower case; the login name';


--
-- Name: COLUMN customer.loyalty_points; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.customer.loyalty_points IS 'Points to spend; never negative';


--
-- Name: order_line; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.order_line (
    order_id bigint NOT NULL,
    number integer NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    unit_price_minor bigint NOT NULL,
    total_minor bigint GENERATED ALWAYS AS ((quantity * unit_price_minor)) STORED,
    CONSTRAINT order_line_number_positive CHECK ((number > 0)),
    CONSTRAINT order_line_quantity_positive CHECK ((quantity > 0)),
    CONSTRAINT order_line_unit_price_not_negative CHECK ((unit_price_minor >= 0))
);

--
-- Name: TABLE order_line; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.order_line IS 'The lines of an order, at the prices of its day';


--
-- Name: order_state; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.order_state (
    code text NOT NULL,
    "position" integer NOT NULL,
    name text NOT NULL
);

--
-- Name: TABLE order_state; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.order_state IS 'The states of an order, in their order';


--
-- Name: payment; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment (
    reference text NOT NULL,
    order_id bigint NOT NULL,
    method text NOT NULL,
    amount_minor bigint NOT NULL,
    paid_on date DEFAULT CURRENT_DATE NOT NULL,
    CONSTRAINT payment_amount_not_zero CHECK ((amount_minor <> 0)),
    CONSTRAINT payment_method_known CHECK ((method = ANY (ARRAY['card'::text, 'invoice'::text, 'transfer'::text, 'wallet'::text]))),
    CONSTRAINT payment_paid_on_form CHECK (COALESCE((paid_on = paid_on), false))
);

--
-- Name: TABLE payment; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.payment IS 'Payments as the provider reports them';


--
-- Name: sales_order; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sales_order (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    shipping_address integer NOT NULL,
    billing_address integer NOT NULL,
    order_state_code text DEFAULT 'new'::text NOT NULL,
    currency_code text NOT NULL,
    total_minor bigint DEFAULT 0 NOT NULL,
    placed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sales_order_total_not_negative CHECK ((total_minor >= 0))
);

--
-- Name: TABLE sales_order; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.sales_order IS 'Orders';


--
-- Name: COLUMN sales_order.total_minor; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.sales_order.total_minor IS 'Sum of the lines; kept by the trigger order_total';


--
-- Name: order_overview; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.order_overview AS
 SELECT o.id AS order_id,
    o.customer_id,
    o.placed_at,
    s.name AS state,
    o.currency_code,
    o.total_minor,
    public.format_money(o.total_minor, COALESCE(c.minor_unit, 0)) AS total,
    ( SELECT count(*) AS count
           FROM public.order_line l
          WHERE (l.order_id = o.id)) AS line_count,
    COALESCE(( SELECT sum(p.amount_minor) AS sum
           FROM public.payment p
          WHERE (p.order_id = o.id)), (0)::numeric) AS paid_minor
   FROM ((public.sales_order o
     JOIN public.order_state s ON ((s.code = o.order_state_code)))
     JOIN public.currency c ON ((c.code = o.currency_code)));

--
-- Name: customer_account; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.customer_account AS
 SELECT c.id AS customer_id,
    c.email,
    o.currency_code,
    count(*) AS order_count,
    sum(o.total_minor) AS ordered_minor,
    sum(o.paid_minor) AS paid_minor
   FROM (public.customer c
     JOIN public.order_overview o ON ((o.customer_id = c.id)))
  GROUP BY c.id, c.email, o.currency_code;

--
-- Name: customer_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: product; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.product (
    sku text NOT NULL,
    category_code text NOT NULL,
    tax_category_code text NOT NULL,
    name text NOT NULL,
    description text,
    weight_gram integer NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    slug text,
    CONSTRAINT product_state_known CHECK ((state = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT product_weight_positive CHECK ((weight_gram > 0))
);

--
-- Name: TABLE product; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.product IS 'What the shop sells';


--
-- Name: COLUMN product.sku; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.product.sku IS 'Stock keeping unit';


--
-- Name: COLUMN product.slug; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.product.slug IS 'The readable part of the product''s web address';


--
-- Name: stock; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.stock (
    sku text NOT NULL,
    warehouse_code text NOT NULL,
    on_hand bigint DEFAULT 0 NOT NULL,
    reorder_level bigint DEFAULT 0 NOT NULL,
    CONSTRAINT stock_on_hand_not_negative CHECK ((on_hand >= 0)),
    CONSTRAINT stock_reorder_level_not_negative CHECK ((reorder_level >= 0))
);

--
-- Name: TABLE stock; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.stock IS 'Goods on hand: the sum of the movements';


--
-- Name: COLUMN stock.on_hand; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.stock.on_hand IS 'Kept by the trigger stock_on_hand';


--
-- Name: product_listing; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.product_listing AS
 SELECT p.sku,
    p.slug,
    p.name,
    c.path AS category,
    r.currency_code,
    r.amount_minor,
    COALESCE(( SELECT sum(s.on_hand) AS sum
           FROM public.stock s
          WHERE (s.sku = p.sku)), (0)::numeric) AS on_hand
   FROM ((public.product p
     JOIN public.category_path c ON ((c.code = p.category_code)))
     JOIN public.current_price r ON ((r.sku = p.sku)))
  WHERE (p.state = 'active'::text);

--
-- Name: sales_order_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.sales_order ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.sales_order_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: shop_setting; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.shop_setting (
    name text NOT NULL,
    value text NOT NULL
);

--
-- Name: TABLE shop_setting; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.shop_setting IS 'What the shop''s staff may switch without a release';


--
-- Name: stock_movement; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.stock_movement (
    reference text NOT NULL,
    sku text NOT NULL,
    warehouse_code text NOT NULL,
    quantity bigint NOT NULL,
    moved_on date DEFAULT CURRENT_DATE NOT NULL,
    CONSTRAINT stock_movement_moved_on_form CHECK (COALESCE((moved_on = moved_on), false)),
    CONSTRAINT stock_movement_quantity_not_zero CHECK ((quantity <> 0))
);

--
-- Name: TABLE stock_movement; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.stock_movement IS 'Goods in and out, each with the event behind it';


--
-- Name: COLUMN stock_movement.quantity; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.stock_movement.quantity IS 'In is positive, out is negative';


--
-- Name: tax_category; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tax_category (
    code text NOT NULL,
    name text NOT NULL
);

--
-- Name: TABLE tax_category; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.tax_category IS 'Kinds of goods that are taxed alike';


--
-- Name: tax_rate; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tax_rate (
    country_code text NOT NULL,
    tax_category_code text NOT NULL,
    valid_from date NOT NULL,
    basis_points integer NOT NULL,
    CONSTRAINT tax_rate_basis_points_range CHECK (((basis_points >= 0) AND (basis_points <= 10000))),
    CONSTRAINT tax_rate_valid_from_form CHECK (COALESCE((valid_from = valid_from), false))
);

--
-- Name: TABLE tax_rate; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.tax_rate IS 'Tax rates by country and category, each from a day on';


--
-- Name: COLUMN tax_rate.basis_points; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.tax_rate.basis_points IS 'Hundredths of a percent: 810 is 8.1 %';


--
-- Name: warehouse; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.warehouse (
    code text NOT NULL,
    name text NOT NULL,
    country_code text NOT NULL
);

--
-- Name: TABLE warehouse; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.warehouse IS 'Where goods are kept';
