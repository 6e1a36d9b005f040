-- SPDX-License-Identifier: Apache-2.0 - what the load on PostgreSQL is made of: accounts, and batches of requests that are made in the server, so that
-- they cost no wire and no parsing.

CREATE FUNCTION load_open(p_accounts bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO account (id, floor) SELECT id, -1000000000000000 FROM generate_series(1, p_accounts) AS numbers(id);
$$;

-- p_count requests with low ids from p_low on. Fails unless all of them settle.
CREATE FUNCTION load_transfers(p_high bigint, p_low bigint, p_count bigint, p_accounts bigint, p_as_sets boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	lows bigint[];
	payers bigint[];
	payees bigint[];
	amounts bigint[];
	outcomes text[];
BEGIN
	SELECT array_agg(p_low + n), array_agg(payer), array_agg(1 + (payer + step) % p_accounts), array_agg(amount)
	INTO lows, payers, payees, amounts
	FROM (
		SELECT n, 1 + floor(random() * p_accounts)::bigint, floor(random() * (p_accounts - 1))::bigint, 1 + floor(random() * 100)::bigint
		FROM generate_series(0, p_count - 1) AS numbers(n)) AS drawn(n, payer, step, amount);
	IF p_as_sets THEN
		outcomes := transfers_as_sets(p_high, lows, payers, payees, amounts);
	ELSE
		outcomes := transfers(p_high, lows, payers, payees, amounts);
	END IF;
	IF outcomes <> array_fill('settled'::text, ARRAY[p_count::int]) THEN
		RAISE EXCEPTION 'not all of % transfers settled', p_count;
	END IF;
END $$;
