-- SPDX-License-Identifier: Apache-2.0 - the promises of transfers.sql, tried before anything is measured. Raises an error at the first that does not hold,
-- and leaves nothing behind.
BEGIN;
INSERT INTO account (id, floor, ceiling) VALUES (-1, -1000, 1000), (-2, 0, 100), (-3, 0, 1000);

CREATE FUNCTION must(p_what text, p_got anyelement, p_wanted anyelement) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF p_got IS DISTINCT FROM p_wanted THEN
		RAISE EXCEPTION '%: % instead of %', p_what, p_got, p_wanted;
	END IF;
END $$;
CREATE FUNCTION balances() RETURNS bigint[] LANGUAGE sql AS $$ SELECT array_agg(balance ORDER BY id DESC) FROM account WHERE id < 0 $$;

SELECT must('a transfer settles', transfer(-1, 1, -1, -2, 60), 'settled');
SELECT must('both balances change', balances(), '{-60,60,0}'::bigint[]);
SELECT must('a repeat is told the first outcome', transfer(-1, 1, -1, -2, 60), 'settled');
SELECT must('the id with another amount is refused', transfer(-1, 1, -1, -2, 61), 'id_reused');
SELECT must('none below its floor', transfer(-1, 2, -2, -3, 61), 'below_floor');
SELECT must('nor when the payee is changed first', transfer(-1, 3, -3, -2, 1), 'below_floor');
SELECT must('none above its ceiling', transfer(-1, 4, -1, -2, 41), 'above_ceiling');
SELECT must('a repeat is told the refusal', transfer(-1, 2, -2, -3, 61), 'below_floor');
SELECT must('both accounts exist', transfer(-1, 5, -1, -9, 1), 'no_account');
SELECT must('refusals change nothing', balances(), '{-60,60,0}'::bigint[]);

SELECT must('in a batch each goes by the one before', transfers(-1, '{11,12,13,11}', '{-1,-2,-3,-1}', '{-2,-3,-2,-2}', '{40,100,1,40}'), '{settled,settled,settled,settled}');
SELECT must('its balances', balances(), '{-100,1,99}'::bigint[]);
SELECT must('as sets: all new and able', transfers_as_sets(-1, '{21,22}', '{-1,-3}', '{-2,-1}', '{9,99}'), '{settled,settled}');
SELECT must('as sets: its balances', balances(), '{-10,10,0}'::bigint[]);
SELECT must('as sets: a repeat', transfers_as_sets(-1, '{21,23}', '{-1,-1}', '{-2,-3}', '{9,5}'), '{settled,settled}');
SELECT must('as sets: one that fails takes no other with it', transfers_as_sets(-1, '{24,25}', '{-2,-1}', '{-3,-2}', '{11,4}'), '{below_floor,settled}');
SELECT must('as sets: twice in one batch', transfers_as_sets(-1, '{26,26}', '{-1,-1}', '{-3,-3}', '{1,1}'), '{settled,settled}');
SELECT must('the balances in the end', balances(), '{-20,14,6}'::bigint[]);
SELECT must('two postings for each that settled', (SELECT count(*) FROM posting WHERE high = -1), 2 * (SELECT count(*) FROM request WHERE high = -1 AND outcome = 'settled'));
SELECT must('postings make the balances', (SELECT array_agg(sum ORDER BY account DESC) FROM (SELECT account, sum(amount)::bigint FROM posting WHERE high = -1 GROUP BY account) AS s), balances());
ROLLBACK;
