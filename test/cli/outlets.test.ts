import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/cli/config.ts';
import { serverOutlets } from '../../src/cli/outlets.ts';
import { answer, provider } from '../outlet/replies/support.ts';
import { scratch } from '../support/scratch.ts';
import { managed, plugin } from '../task/support.ts';

async function outlets(t: TestContext, content: object, env: Record<string, string>) {
  const cwd = await scratch(t);
  await writeFile(join(cwd, 'tasktrail.config.json'), JSON.stringify(content));
  const { trail, done } = await managed(t, { plugins: [plugin('echo', () => 'done')] });
  const warnings: string[] = [];
  const log = { warn: (message: string) => warnings.push(message) };
  const made = serverOutlets(readConfig({ cwd, env }), { parts: trail.parts, log });
  t.after(() => made.close());
  return { made, done, trail, warnings };
}

test('a server acknowledges, answers and tells with the accounts of its settings', async (t) => {
  const there = await provider(t);
  const { made, done, trail, warnings } = await outlets(
    t,
    { slack: { channel: 'C0TRAIL', on: ['completed'] } },
    { GITHUB_TOKEN: 'ghp_x', GITHUB_API_URL: there.url, SLACK_BOT_TOKEN: 'xoxb-1', SLACK_API_URL: `${there.url}/api` },
  );
  const place = { provider: 'github', repo: 'acme/shop', issue_number: 42 };
  const heard = { taskId: 'task-a', command: 'agent' };
  assert.deepEqual(await made.acknowledge(place, heard), { status: 'sent', what: 'reaction' });
  const slack = { provider: 'slack', channel: 'C0DEV' };
  assert.deepEqual(await made.acknowledge(slack, heard), { status: 'sent', what: 'message' });
  assert.equal(there.heard[1]?.body.text, 'On it: agent\ntask-a');
  // Two that follow; each has found its place when it is kept.
  made.start();
  for (const name of ['answers', 'slack_notices']) while ((await trail.parts.intake.setting(name)) === null);
  const input = { message: 'x', sourceMetadata: place };
  await done('echo', {}, { source: 'webhook', metadata: { delivery: 'd-1' }, input });
  await there.asked(4);
  const paths = there.heard.slice(2).map(({ path }) => path);
  assert.deepEqual(paths.sort(), ['/api/chat.postMessage', '/repos/acme/shop/issues/42/comments']);
  assert.deepEqual(warnings, []);
});

test('without accounts it skips, says so once, and asks nobody', async (t) => {
  const there = await provider(t, answer(500));
  const { made, warnings } = await outlets(t, { slack: {} }, { JIRA_URL: there.url, JIRA_API_TOKEN: 'half' });
  made.start();
  assert.deepEqual(await made.acknowledge({ provider: 'jira', issue_key: 'SHOP-1' }, { taskId: 'a', command: 'x' }), {
    ...{ status: 'skipped', what: 'comment', reason: 'no_token' },
  });
  assert.deepEqual(warnings, ['nothing is told to Slack: neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set']);
  await made.close();
  await made.close();
  assert.equal(there.heard.length, 0);
});
