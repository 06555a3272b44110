import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Level } from '../../src/core/level.ts';
import { LoggingSettings } from '../../src/trail/logging.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';

const ENVIRONMENT = { level: 'INFO', taskLogLevel: 'INFO', enableBeliefState: true } as const;

/** The levels that a newly opened trail of the directory keeps. */
async function kept(t: TestContext, dataDir: string, taskLevel?: Level): Promise<readonly string[]> {
  const trail = await openTrail({ dataDir, taskLevel });
  t.after(() => trail.close());
  const task = await trail.task();
  for (const level of ['debug', 'info', 'warning', 'error'] as const) task.logger[level](level);
  await task.complete();
  const { logs } = await trail.logs(task.id);
  await trail.close();
  return logs.map(({ message }) => message);
}

test('a program that opens the directory keeps the level that was saved, whatever its own says', async (t) => {
  const dataDir = await scratch(t);
  assert.deepEqual(await kept(t, dataDir), ['info', 'warning', 'error']);
  assert.deepEqual(await kept(t, dataDir, 'WARNING'), ['warning', 'error']);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const settings = await LoggingSettings.open(trail.parts.intake, ENVIRONMENT);
  await settings.change({ taskLogLevel: 'ERROR' });
  assert.deepEqual(await kept(t, dataDir), ['error']);
  assert.deepEqual(await kept(t, dataDir, 'DEBUG'), ['error']);
  await settings.change({ taskLogLevel: null });
  assert.deepEqual(await kept(t, dataDir, 'DEBUG'), ['debug', 'info', 'warning', 'error']);
});

test('a setting that nobody can read counts as not saved', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const { intake } = trail.parts;
  for (const broken of ['loud', [1], { task_log_level: 'LOUD' }, 7, true]) {
    await intake.setSetting('logging', broken);
    assert.deepEqual((await LoggingSettings.open(intake, ENVIRONMENT)).current, ENVIRONMENT, JSON.stringify(broken));
    assert.deepEqual(await kept(t, dataDir), ['info', 'warning', 'error']);
  }
});

test('a change that cannot be kept is not applied, and the next one is', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const { intake } = trail.parts;
  const settings = await LoggingSettings.open(intake, ENVIRONMENT);
  const told: string[] = [];
  settings.listen(({ level }) => told.push(level));
  const save = intake.setSetting.bind(intake);
  intake.setSetting = () => Promise.reject(new Error('disk full'));
  await assert.rejects(settings.change({ level: 'DEBUG' }), /disk full/);
  assert.equal(settings.current.level, 'INFO');
  intake.setSetting = save;
  await settings.change({ level: 'ERROR' });
  assert.deepEqual(told, ['INFO', 'ERROR']);
});
