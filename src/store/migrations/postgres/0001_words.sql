-- The words that SQLite has and the hub's statements use. Each means here what it means
-- there: `min` and `max` of two numbers are null where one of them is.
create function unhex(digits text) returns bytea
    language sql immutable strict parallel safe as $$ select decode(digits, 'hex') $$;

create function min(a bigint, b bigint) returns bigint
    language sql immutable parallel safe as $$ select case when a <= b then a when b < a then b end $$;

create function max(a bigint, b bigint) returns bigint
    language sql immutable parallel safe as $$ select case when a >= b then a when b > a then b end $$;

-- The items of an array, each with its place, from 0.
create function jsonb_each(items text) returns table (key bigint, value jsonb)
    language sql immutable parallel safe rows 20 as $$
        select place - 1, item
        from jsonb_array_elements(cast(items as jsonb)) with ordinality as e (item, place)
    $$;
