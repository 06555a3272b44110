import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrailError } from '../../src/core/error.ts';
import { checkMove, isEnded, MOVES, parseStatus, STATUSES, type Status } from '../../src/core/status.ts';

test('a status is read in any case, the older names too', () => {
  for (const status of STATUSES) assert.equal(parseStatus(status.toUpperCase()), status);
  const older = ['pending', 'Running', 'SUCCESS', ' waiting_input '].map(parseStatus);
  assert.deepEqual(older, ['queued', 'executing', 'completed', 'awaiting_input']);
});

test('anything else is refused with the words of the contract', () => {
  for (const value of ['done', '', 'constructor', null, undefined, 3]) {
    assert.throws(() => parseStatus(value), { code: 'invalid_status', message: `Invalid status: ${value}` });
  }
  assert.throws(
    () => parseStatus('x'.repeat(10_000)),
    (error: Error) => error.message.length < 200,
  );
});

test('five statuses are endings', () => {
  assert.deepEqual(STATUSES.filter(isEnded), ['rejected', 'completed', 'failed', 'cancelled', 'timed_out']);
});

test('a move is allowed when the table has it or nothing moves, and refused otherwise', () => {
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      if (from === to || MOVES[from].includes(to)) checkMove(from, to);
      else assert.throws(() => checkMove(from, to), { code: 'invalid_transition' }, `${from} → ${to}`);
    }
  }
});

test('every status that has not ended may end, and only approval can be rejected', () => {
  for (const from of STATUSES.filter((status) => !isEnded(status))) {
    for (const ending of ['completed', 'failed', 'cancelled', 'timed_out'] as const) checkMove(from, ending);
  }
  assert.deepEqual(
    STATUSES.filter((from) => MOVES[from].includes('rejected')),
    ['pending_approval'],
  );
});

test('an ended task never moves to another ending; a rejected one has ended for good', () => {
  const endings = STATUSES.filter(isEnded);
  for (const from of endings) assert.deepEqual(MOVES[from].filter(isEnded), [], from);
  assert.deepEqual(MOVES.rejected, []);
  assert.match(refusal('rejected', 'executing'), /for good/);
});

test('a refusal says what the task may become', () => {
  assert.equal(
    refusal('approved', 'paused'),
    'a task that is approved cannot become paused; it may become queued, executing, completed, failed, cancelled, timed_out',
  );
});

function refusal(from: Status, to: Status): string {
  try {
    checkMove(from, to);
  } catch (error) {
    assert.ok(error instanceof TrailError);
    return error.message;
  }
  return assert.fail(`${from} → ${to} was allowed`);
}
