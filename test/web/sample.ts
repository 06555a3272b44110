import type { EntryInput } from '../../src/core/entry.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { recorded } from '../support/recorded.ts';
import type { Site } from './support.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MODELS = ['claude-opus-4-8', 'claude-sonnet-4-9', 'claude-haiku-4-5', 'qwen-local'] as const;
const WORK = [
  ['Fix the flaky login test', 'github', 'acme/shop#412'],
  ['Answer: why is the export slow?', 'slack', '#data'],
  ['Upgrade the charts to the new API', 'jira', 'DATA-118'],
  ['TypeError in checkout.ts', 'sentry', 'checkout'],
  ['Nightly evaluation', 'cli', null],
  ['Migrate dashboards', 'api', null],
  ['Review: cache headers', 'github', 'acme/shop#409'],
] as const;

/** What a place that has used tasktrail for a month looks like: a failed build, an agent at work, and what came before them. */
export async function fillSample(site: Site): Promise<void> {
  for (let n = 0; n < 40; n += 1) await site.task(past(n));
  for (let n = 0; n < 12; n += 1) await site.lines(`run-${n}`, buildLines(40 + n * 3, agoIso(n * 0.3 * DAY_MS)));
  await failedBuild(site);
  await agentRun(site);
  await runningMigration(site);
}

/** A run that ended, the older the higher its number. */
function past(n: number): TaskDraft & { taskId: string } {
  const [title, source, owner] = WORK[n % WORK.length] ?? WORK[0];
  const failed = n % 9 === 4;
  const startMs = n * 0.7 * DAY_MS + 40 * MINUTE_MS;
  const minutes = 2 + ((n * 7) % 23);
  const model = MODELS[n % MODELS.length] ?? MODELS[0];
  const spend = 2.4 + Math.sin(n) * 1.7;
  return {
    ...{ taskId: `run-${n}`, title, source, owner, model, kind: 'agent', provider: source },
    ...{ assignedAgent: ['fixer', 'reviewer', 'analyst'][n % 3] ?? 'fixer', tags: n % 4 === 0 ? ['nightly'] : [] },
    ...{ status: failed ? ('failed' as const) : ('completed' as const), exitCode: failed ? 1 : 0 },
    ...(failed && { error: 'tests failed: 3 of 212' }),
    ...{ createdAt: agoIso(startMs), startedAt: agoIso(startMs), completedAt: agoIso(startMs - minutes * MINUTE_MS) },
    metrics: {
      ...{ costUsd: model === 'qwen-local' ? null : Math.round(spend * 100) / 100, inputTokens: 84_000 + n * 3_100 },
      ...{ outputTokens: 6_200 + n * 140, cacheReadTokens: 610_000 + n * 9_000, numTurns: 8 + (n % 11) },
      durationSeconds: minutes * 60,
    },
  };
}

async function failedBuild(site: Site): Promise<void> {
  const startIso = agoIso(26 * MINUTE_MS);
  await site.task({
    ...{ taskId: 'build-5120', title: 'Build and deploy shop', source: 'github', provider: 'github', kind: 'build' },
    ...{ owner: 'acme/shop', tags: ['deploy'], createdAt: startIso, startedAt: startIso, status: 'executing' },
  });
  await site.lines('build-5120', [
    ...grouped(
      'Check out',
      startIso,
      ['git fetch origin main', 'HEAD is now at 9f2c1e4 Cache prices for a minute'],
      'git',
    ),
    ...grouped(
      'Install',
      agoIso(25.8 * MINUTE_MS),
      ['added 812 packages in 21 s', '2 packages are looking for funding'],
      'npm',
    ),
    ...buildLines(60, agoIso(25 * MINUTE_MS)),
    ...testLines(agoIso(14 * MINUTE_MS)),
  ]);
  await site.change('build-5120', {
    ...{ status: 'failed', error: 'npm test exited with code 1: 1 of 212 tests failed', exitCode: 1 },
    completedAt: agoIso(12 * MINUTE_MS),
  });
}

async function agentRun(site: Site): Promise<void> {
  const lines = await recorded('success');
  const end = lines.splice(-2);
  const startMs = 9 * MINUTE_MS;
  await site.task({
    ...{ taskId: 'agent-fix-412', title: 'Fix the failing payment test', source: 'github', provider: 'github' },
    ...{ kind: 'agent', assignedAgent: 'fixer', model: 'claude-opus-4-8', owner: 'acme/shop', tags: ['approved'] },
    ...{ createdAt: agoIso(startMs), startedAt: agoIso(startMs), status: 'executing' },
    params: {
      prompt: 'The payment test fails. Find out why and mend it.',
      repo: 'acme/shop',
      issue: 412,
    },
    metadata: { delivery: '7f1c0e', branch: 'agent/412' },
  });
  await site.lines('agent-fix-412', atPace([...lines, ...agentWork(), ...end], startMs, 4_200));
  await site.change('agent-fix-412', {
    ...{ status: 'completed', exitCode: 0, completedAt: agoIso(5 * MINUTE_MS) },
    result: { pull_request: 'acme/shop#418', files_changed: 2, tests: { passed: 212, failed: 0 } },
    metrics: { costUsd: 1.83, inputTokens: 148_200, outputTokens: 9_340, cacheReadTokens: 1_204_000, numTurns: 14 },
  });
}

/** What the agent does after it was understood: three more turns, with their calls and answers as its parser writes them. */
function agentWork(): EntryInput[] {
  const base = { source: 'claude', stream: 'stdout' } as const;
  const call = (turn: number, tool: string, args: Record<string, string>): EntryInput[] => [
    {
      ...{ ...base, type: 'tool_call', message: `${tool} ${Object.values(args)[0]}` },
      metadata: { tool, args, tool_use_id: `work_${turn}`, message_id: `msg_w${turn}`, turn },
    },
  ];
  const answer = (turn: number, tool: string, message: string): EntryInput => ({
    ...{ ...base, type: 'tool_result', message },
    metadata: { tool, tool_use_id: `work_${turn}`, duration_ms: 4_200, is_error: false },
  });
  return [
    {
      ...{ ...base, type: 'thinking', metadata: { message_id: 'msg_w4', turn: 4 } },
      message: 'Prices come from the form as text. Where else is total() called with them?',
    },
    ...call(4, 'Grep', { pattern: 'total(', path: 'src' }),
    answer(4, 'Grep', 'src/basket.js:41:  return total(form.amount);'),
    ...call(5, 'Edit', {
      ...{ file_path: 'src/basket.js', old_string: '  return total(form.amount);' },
      new_string: '  // A form gives text.\n  return total(Number(form.amount));',
    }),
    answer(5, 'Edit', 'The file src/basket.js has been updated.'),
    ...call(6, 'Bash', { command: 'node --test test/payment.test.js test/basket.test.js' }),
    answer(6, 'Bash', '5 of 5 tests passed in 1.2 s'),
  ];
}

async function runningMigration(site: Site): Promise<void> {
  const startMs = 3 * MINUTE_MS;
  await site.task({
    ...{ taskId: 'migrate-77', title: 'Migrate dashboards to Superset 4', source: 'plugin', kind: 'plugin' },
    ...{ owner: 'data', tags: ['migration'], createdAt: agoIso(startMs), startedAt: agoIso(startMs) },
    ...{ status: 'executing', params: { from: 'staging', dashboards: 48 } },
  });
  const lines = Array.from({ length: 90 }, (_, n): EntryInput => {
    if (n % 17 === 9)
      return {
        source: 'superset_api',
        level: 'WARNING',
        message: `Rate limit is near: ${60 - (n % 40)} calls left this minute`,
      };
    if (n % 41 === 40)
      return {
        source: 'superset_api',
        level: 'ERROR',
        message: `Chart ${200 + n} refers to a dataset that is gone; left out`,
      };
    if (n % 5 === 0) return { source: 'git', message: `Committed dashboards/sales-${n}.yaml (+${12 + n} −${n % 7})` };
    if (n % 7 === 3)
      return { source: 'system', level: 'DEBUG', message: `pool: ${3 + (n % 4)} of 10 connections in use` };
    return {
      source: 'superset_api',
      message: `PUT /api/v1/dashboard/${100 + n} \u001b[32m200 OK\u001b[0m in ${80 + ((n * 37) % 140)} ms`,
      metadata: { progress: n },
    };
  });
  await site.lines('migrate-77', atPace(lines, startMs, 1_900));
}

export function agoIso(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}

function atPace(lines: readonly EntryInput[], agoMs: number, stepMs: number): EntryInput[] {
  return lines.map((line, n) => ({ ...line, timestamp: agoIso(agoMs - n * stepMs) }));
}

function grouped(name: string, startIso: string, lines: readonly string[], source: string): EntryInput[] {
  const atMs = Date.parse(startIso);
  return [`::group::${name}`, ...lines, '::endgroup::'].map((message, n) => ({
    ...{ message, source, stream: 'stdout' },
    timestamp: new Date(atMs + n * 1_300).toISOString(),
  }));
}

function buildLines(count: number, startIso: string): EntryInput[] {
  const atMs = Date.parse(startIso);
  return Array.from({ length: count }, (_, n) => ({
    ...{ timestamp: new Date(atMs + n * 2_700).toISOString(), source: n % 3 === 0 ? 'tsc' : 'vite', stream: 'stdout' },
    ...(n % 19 === 11
      ? { level: 'WARNING', message: `src/prices/rule-${n}.ts: "Decimal" is deprecated, use "Money"` }
      : {
          message: `\u001b[36mtransformed\u001b[0m src/pages/catalog-${n}.svelte \u001b[2min ${4 + ((n * 13) % 60)} ms\u001b[0m`,
        }),
  }));
}

function testLines(startIso: string): EntryInput[] {
  const atMs = Date.parse(startIso);
  const passed = Array.from(
    { length: 24 },
    (_, n): EntryInput => ({
      message: `\u001b[32m✔\u001b[0m basket: rule ${n + 1} \u001b[2m(${3 + (n % 9)} ms)\u001b[0m`,
    }),
  );
  const failed: EntryInput[] = [
    { message: '✖ login keeps the session after a redirect (5,002 ms)', level: 'ERROR', stream: 'stderr' },
    { message: "Error: expected cookie 'session' within 5000 ms, got none", level: 'ERROR', stream: 'stderr' },
    { message: '    at waitForCookie (test/support/cookies.ts:18:11)', level: 'ERROR', stream: 'stderr' },
    { message: '    at login (test/login.test.ts:41:3)', level: 'ERROR', stream: 'stderr' },
    { message: 'ETIMEDOUT connect 10.0.0.7:5432', level: 'ERROR', source: 'postgres', stream: 'stderr' },
    { message: '1 of 212 tests failed', level: 'ERROR' },
  ];
  return [{ message: '::group::Test' }, ...passed, ...failed].map((line, n) => ({
    ...{ source: 'test', stream: 'stdout' as const, timestamp: new Date(atMs + n * 1_900).toISOString() },
    ...line,
  }));
}
