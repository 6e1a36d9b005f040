-- SPDX-License-Identifier: Apache-2.0 - transfers in PostgreSQL, with the promises that ordain gives: a request has one outcome for good, no balance
-- passes its limits, every amount that moves is posted twice.
--
-- In favour of PostgreSQL: accounts are integers, not names; a request id is two integers that ascend for each client, so that its index grows at few
-- places; there is one asset; postings have no index and no running balance; limits are kept by the functions alone, without constraints.

CREATE TABLE account (
	id bigint PRIMARY KEY,
	balance bigint NOT NULL DEFAULT 0,
	floor bigint NOT NULL DEFAULT 0,
	ceiling bigint NOT NULL DEFAULT 9223372036854775807
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5); -- room on each page for new versions of its rows (HOT)

-- The request with its payload and its outcome: 'settled' or why not. 16 bytes of id, as ordain's.
CREATE TABLE request (
	high bigint NOT NULL,
	low bigint NOT NULL,
	payer bigint NOT NULL,
	payee bigint NOT NULL,
	amount bigint NOT NULL,
	outcome text NOT NULL,
	PRIMARY KEY (high, low)
);

CREATE TABLE posting (
	account bigint NOT NULL,
	high bigint NOT NULL,
	low bigint NOT NULL,
	amount bigint NOT NULL
);

-- What becomes of a request that is known already: its outcome, or 'id_reused' when it asks for something else.
CREATE FUNCTION repeated(p_high bigint, p_low bigint, p_payer bigint, p_payee bigint, p_amount bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	known request;
BEGIN
	SELECT * INTO STRICT known FROM request WHERE high = p_high AND low = p_low;
	IF known.payer <> p_payer OR known.payee <> p_payee OR known.amount <> p_amount THEN
		RETURN 'id_reused';
	END IF;
	RETURN known.outcome;
END $$;

-- Keeps the outcome of a request that does not settle.
CREATE FUNCTION refused(p_high bigint, p_low bigint, p_outcome text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE request SET outcome = p_outcome WHERE high = p_high AND low = p_low;
	RETURN p_outcome;
END $$;

CREATE FUNCTION why_not(p_account bigint, p_outcome text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM account WHERE id = p_account) THEN p_outcome ELSE 'no_account' END;
$$;

-- One transfer. Rows of accounts are locked in the order of their ids, so that no two transfers wait for each other.
CREATE FUNCTION transfer(p_high bigint, p_low bigint, p_payer bigint, p_payee bigint, p_amount bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO request VALUES (p_high, p_low, p_payer, p_payee, p_amount, 'settled') ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN repeated(p_high, p_low, p_payer, p_payee, p_amount);
	END IF;
	IF p_payer < p_payee THEN
		UPDATE account SET balance = balance - p_amount WHERE id = p_payer AND balance - p_amount >= floor;
		IF NOT FOUND THEN
			RETURN refused(p_high, p_low, why_not(p_payer, 'below_floor'));
		END IF;
		UPDATE account SET balance = balance + p_amount WHERE id = p_payee AND balance <= ceiling - p_amount;
		IF NOT FOUND THEN
			UPDATE account SET balance = balance + p_amount WHERE id = p_payer;
			RETURN refused(p_high, p_low, why_not(p_payee, 'above_ceiling'));
		END IF;
	ELSE
		UPDATE account SET balance = balance + p_amount WHERE id = p_payee AND balance <= ceiling - p_amount;
		IF NOT FOUND THEN
			RETURN refused(p_high, p_low, why_not(p_payee, 'above_ceiling'));
		END IF;
		UPDATE account SET balance = balance - p_amount WHERE id = p_payer AND balance - p_amount >= floor;
		IF NOT FOUND THEN
			UPDATE account SET balance = balance - p_amount WHERE id = p_payee;
			RETURN refused(p_high, p_low, why_not(p_payer, 'below_floor'));
		END IF;
	END IF;
	INSERT INTO posting VALUES (p_payer, p_high, p_low, -p_amount), (p_payee, p_high, p_low, p_amount);
	RETURN 'settled';
END $$;

-- Locks accounts until the transaction ends. (A join, since a long list in "= ANY" is searched anew for every row.)
CREATE FUNCTION accounts_lock(p_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM account WHERE id IN (SELECT unnest(p_ids)) ORDER BY id FOR NO KEY UPDATE;
END $$;

-- Many transfers in one transaction, each by the function above. All accounts are locked first, in the order of their ids.
CREATE FUNCTION transfers(p_high bigint, p_low bigint[], p_payer bigint[], p_payee bigint[], p_amount bigint[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	outcomes text[] := '{}';
BEGIN
	PERFORM accounts_lock(p_payer || p_payee);
	FOR i IN 1 .. array_length(p_low, 1) LOOP
		outcomes[i] := transfer(p_high, p_low[i], p_payer[i], p_payee[i], p_amount[i]);
	END LOOP;
	RETURN outcomes;
END $$;

-- The same, as sets: when all requests are new and no order among them could pass a limit, one statement for each table does all of it, and each
-- account has one new version; accounts are locked last, so that others wait as short as can be. Otherwise
-- nothing of that stands, and they are done one after the other, as above.
CREATE FUNCTION transfers_as_sets(p_high bigint, p_low bigint[], p_payer bigint[], p_payee bigint[], p_amount bigint[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	touched bigint;
	changed bigint;
BEGIN
	SELECT count(DISTINCT id) INTO touched FROM unnest(p_payer || p_payee) AS sides(id);
	INSERT INTO request SELECT p_high, low, payer, payee, amount, 'settled'
		FROM unnest(p_low, p_payer, p_payee, p_amount) AS asked(low, payer, payee, amount);
	INSERT INTO posting SELECT payer, p_high, low, -amount FROM unnest(p_low, p_payer, p_amount) AS debits(low, payer, amount)
		UNION ALL SELECT payee, p_high, low, amount FROM unnest(p_low, p_payee, p_amount) AS credits(low, payee, amount);
	PERFORM accounts_lock(p_payer || p_payee);
	UPDATE account SET balance = balance - debit + credit
	FROM (
		SELECT id, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
		FROM unnest(p_payer || p_payee, p_amount || array_fill(0::bigint, ARRAY[array_length(p_low, 1)]),
			array_fill(0::bigint, ARRAY[array_length(p_low, 1)]) || p_amount) AS sides(id, debit, credit)
		GROUP BY id) AS moved
	WHERE account.id = moved.id AND balance - debit >= floor AND balance <= ceiling - credit;
	GET DIAGNOSTICS changed = ROW_COUNT;
	IF changed < touched THEN
		RAISE EXCEPTION USING ERRCODE = 'OR001';
	END IF;
	RETURN array_fill('settled'::text, ARRAY[array_length(p_low, 1)]);
EXCEPTION WHEN unique_violation OR SQLSTATE 'OR001' THEN
	RETURN transfers(p_high, p_low, p_payer, p_payee, p_amount);
END $$;
