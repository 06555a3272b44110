import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import { HOSTILE, MARKUP, UNSAFE } from '../support/hostile-text.ts';
import { githubPayload, SECRET, signed } from '../support/webhooks.ts';
import { noBrowser, rowsOf, type Site, visit } from '../web/support.ts';

/** Short enough for a title; all kinds of it. */
const TITLE = `${MARKUP[1]}\u202efdp.exe\u200b\u001b]0;osc\u0007a${'\u0301'.repeat(400)}`;
const SOURCE = '<b data-evil onclick=canary()>\u202ecod\u0301\u0301\u0301';
const TEXT = HOSTILE.map((text) => text.slice(0, 200)).join('\n');

const echo: AnyPlugin = {
  id: 'default',
  name: TITLE.slice(0, 60),
  takesContext: true,
  execute: ({ prompt }: { prompt: string }, { logger }) => logger.info(prompt),
};

async function seed(site: Site): Promise<void> {
  const metadata = JSON.parse(JSON.stringify({ [TITLE]: HOSTILE, __proto__: null })) as Record<string, string[]>;
  const facts = {
    title: TITLE,
    kind: TITLE,
    source: TITLE,
    owner: TITLE,
    assignedAgent: TITLE.slice(0, 60),
    tags: [MARKUP[0] ?? '', '\u202egat'],
    params: { [TITLE]: HOSTILE },
    input: { message: TEXT },
    metadata,
  };
  for (const taskId of ['odd', 'asks', 'plans', 'bad']) await site.task({ taskId, ...facts });
  await site.lines(
    'odd',
    HOSTILE.map((message) => ({ message, source: SOURCE, metadata })),
  );
  await site.task({
    ...{ taskId: 'dear', title: TITLE, source: TITLE, model: TITLE.slice(0, 120), assignedAgent: TITLE.slice(0, 60) },
    ...{ status: 'failed', completedAt: new Date().toISOString(), error: TITLE },
    metrics: { costUsd: 3, inputTokens: 1_000, outputTokens: 10 },
  });
  await site.lines(
    'dear',
    HOSTILE.slice(0, 20).map((message) => ({ message, type: 'tool_call', metadata })),
  );
  await site.lines('bad', [
    { message: `${TITLE} error`, level: 'ERROR', source: SOURCE },
    ...HOSTILE.map(
      (message) => ({ message, type: 'user_input', metadata: { question_type: message.slice(0, 9_000) } }) as const,
    ),
    ...HOSTILE.map(
      (stage) =>
        ({
          message: 'x',
          type: 'webhook',
          metadata: { stage: stage.slice(0, 9_000), status: TITLE, error: TEXT, [TITLE]: TITLE },
        }) as const,
    ),
  ]);
  await site.change('asks', {
    status: 'awaiting_input',
    metadata: { question: { question: TEXT, question_type: TITLE } },
  });
  await site.change('plans', { status: 'pending_approval', metadata: { plan: `# ${TEXT}\n\n${MARKUP.join('\n\n')}` } });
  await site.change('bad', { status: 'failed', error: TEXT, result: { text: TEXT } });
}

/** Whatever the page may have been made to do, seen from inside and outside of it. */
async function watched(page: Page, origin: string) {
  const seen: string[] = [];
  await page.exposeFunction('canary', () => seen.push('a script ran'));
  await page.addInitScript(() => {
    const reports: string[] = [];
    Object.assign(window, { reports });
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
      reports.push(`${violatedDirective} ${blockedURI} ${sourceFile}`);
    });
  });
  page.on('dialog', async (dialog) => {
    seen.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('popup', () => seen.push('a window opened'));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) seen.push(`asked for ${request.url()}`);
  });
  return {
    /** Nothing ran, nothing was reported, nothing was made of data, and all that is shown can be seen for what it is. */
    async calm(where: string): Promise<void> {
      const found = await page.evaluate(looked);
      const { texts, ...rest } = found;
      assert.deepEqual({ where, seen, ...rest }, { where, seen: [], reports: [], made: [], handlers: [], links: [] });
      const unsafe = texts.filter((text) => UNSAFE.test(text)).map((text) => JSON.stringify(text.slice(0, 200)));
      assert.deepEqual(unsafe, [], where);
    },
  };
}

/** Runs in the page. */
function looked() {
  const all = [...document.querySelectorAll('*')];
  const shown: string[] = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) shown.push(walk.currentNode.textContent ?? '');
  const made = '[data-evil], iframe, object, embed, img, base, body script, meta[http-equiv]';
  return {
    reports: (window as unknown as { reports: string[] }).reports,
    made: [...document.querySelectorAll(made)].map((element) => element.outerHTML.slice(0, 200)),
    handlers: all.flatMap((element) =>
      [...element.attributes].filter(({ name }) => /^on/.test(name)).map(({ name }) => name),
    ),
    links: [...document.querySelectorAll('a')]
      .map(({ href }) => href)
      .filter((href) => !href.startsWith(location.origin)),
    texts: shown.filter((text) => text.trim() !== ''),
  };
}

function heights(page: Page, selector: string): Promise<number[]> {
  return page.locator(selector).evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
}

test('hostile text of every kind is inert on every screen, under the policy of the server', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { site, page } = await visit(t, {}, {}, [echo]);
  await site.tasks.start();
  await seed(site);
  const watch = await watched(page, site.url);

  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(3).waitFor();
  await watch.calm('the list');
  const [first = 0, ...others] = await heights(page, 'tr[data-task]');
  assert.ok(first < 100 && others.every((height) => height <= 2 * first), `${first}, ${others}`);

  await page.goto(`${site.url}/t/odd`);
  await rowsOf(page).nth(11).waitFor();
  await watch.calm('a task');
  assert.equal(new Set(await heights(page, '[role=log] .line')).size, 1);
  await page.getByRole('button', { name: 'Show the metadata of line 1', exact: true }).click();
  await page
    .getByRole('region', { name: 'Metadata of line 1' })
    .or(page.getByLabel('Metadata of line 1'))
    .first()
    .waitFor();
  await watch.calm('the details of a line');
  await page.getByRole('button', { name: 'Patterns' }).click();
  await page.getByText('osc8 script').first().waitFor();
  await watch.calm('patterns');
  await page.goto(`${site.url}/t/odd/plain`);
  await page.getByText('osc8 script').waitFor();
  await watch.calm('plain text');
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(3).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('option').nth(6).waitFor();
  await watch.calm('the palette');
  assert.equal(new Set(await heights(page, 'dialog [role=option]')).size, 1);

  for (const [id, title] of [
    ['asks', 'The task asks'],
    ['plans', 'The task needs your approval'],
  ] as const) {
    await page.goto(`${site.url}/t/${id}`);
    await page.getByRole('heading', { name: title }).waitFor();
    await watch.calm(title);
  }
  await page.goto(`${site.url}/t/bad`);
  await page.locator('[data-connection=ended]').waitFor();
  await watch.calm('a failed task');

  for (const part of ['input', 'flow', 'answers', 'output', 'result', 'metadata']) {
    for (const id of ['odd', 'bad']) {
      await page.goto(`${site.url}/t/${id}?details=${part}`);
      await page.getByRole('tabpanel').waitFor();
      await page.getByRole('tabpanel').getByRole('status').waitFor({ state: 'detached' });
      await page.evaluate(() => {
        for (const each of document.querySelectorAll('details')) each.open = true;
      });
      await watch.calm(`${part} of ${id}`);
    }
    for (const asMarkdown of await page.getByRole('button', { name: 'As Markdown' }).all()) await asMarkdown.click();
    await watch.calm(`${part} as Markdown`);
  }

  await page.goto(`${site.url}/t/dear`);
  await rowsOf(page).nth(5).waitFor();
  await watch.calm('tool calls');
  await page.goto(`${site.url}/costs`);
  await page.getByRole('table').first().waitFor();
  await watch.calm('costs');
  for (const by of await page.getByRole('group', { name: 'By', exact: true }).getByRole('button').all()) {
    await by.click();
    await watch.calm('costs by another name');
  }
  await page.getByRole('button', { name: 'Count them' }).click();
  await page.getByText('osc8 script').or(page.getByText('onerror')).first().waitFor();
  await watch.calm('repeated calls');
  for (const query of ['canary', 'after', MARKUP[1] ?? '', '\u202e', 'source:"<b"']) {
    await page.goto(`${site.url}/search?q=${encodeURIComponent(query)}`);
    await page
      .locator('[data-found]')
      .first()
      .or(page.getByText('Nothing', { exact: false }).first())
      .first()
      .waitFor();
    await watch.calm(`a search for ${query}`);
  }
  await page.goto(`${site.url}/search`);
  await page.getByText('Examples').waitFor();
  await watch.calm('searches of before');
  await page.evaluate(
    (path) => {
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
    },
    `/${encodeURIComponent(`${MARKUP[0]}\u202ezzz`)}`,
  );
  await page.getByRole('link', { name: 'See all tasks' }).waitFor();
  await watch.calm('a place that does not exist');
});

test('hostile plugins and what they do are inert where they are chosen, filled in and watched', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { site, page } = await visit(t, {}, {}, [echo]);
  const texts = { title: TITLE, description: TEXT, examples: [TITLE], enum: undefined };
  const odd: AnyPlugin = {
    id: 'odd',
    name: TITLE,
    description: TEXT,
    version: TITLE,
    parameters: JSON.parse(
      JSON.stringify({
        type: 'object',
        required: ['text'],
        properties: {
          text: { type: 'string', ...texts },
          choice: { ...texts, enum: HOSTILE, default: HOSTILE[0] },
          list: { type: 'array', ...texts, items: { type: 'string' }, default: HOSTILE },
          group: {
            type: 'object',
            ...texts,
            properties: { [TITLE]: { type: 'string', pattern: '^<b data-evil>\u202e$', default: 'x' } },
          },
          any: { ...texts, default: HOSTILE },
        },
      }),
    ),
    execute: (_params: object, { logger }) => {
      for (const message of HOSTILE) logger.withSource('odd').info(message);
      throw new Error(TEXT);
    },
  };
  site.tasks.register(odd);
  await site.tasks.start();
  const watch = await watched(page, site.url);
  await page.goto(`${site.url}/?run=`);
  await page.getByRole('dialog').getByRole('listitem').nth(1).waitFor();
  await watch.calm('what can be run');
  await page.goto(`${site.url}/?run=${encodeURIComponent(MARKUP[0] ?? '')}`);
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await watch.calm('a plugin that is none');
  await page.goto(`${site.url}/?run=plugin:odd`);
  const run = page.getByRole('button', { name: 'Run', exact: true });
  await run.click();
  await page.getByText('is required').waitFor();
  await watch.calm('a form with faults');
  await page.locator('form textarea, form input').first().fill('x');
  const group = page.locator('fieldset').last().locator('input');
  await group.fill('');
  await run.click();
  await page.getByRole('link', { name: 'Open its page' }).waitFor();
  await rowsOf(page).nth(5).waitFor();
  await watch.calm('a task in the runner');
});

test('hostile names of tasks, records and texts that are tried are inert in settings', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  const actor = { kind: 'token', name: TITLE, role: null, address: TITLE } as const;
  const details = JSON.parse(JSON.stringify({ [TITLE]: HOSTILE })) as Record<string, string[]>;
  const target = { type: SOURCE, id: TITLE };
  await site.intake.audit({ actor, action: SOURCE, target, outcome: 'done', requestId: null, details });
  const watch = await watched(page, site.url);
  await page.goto(`${site.url}/settings#audit`);
  await page.getByText('Details').click();
  await page.getByText('osc8 script').or(page.getByText('onerror')).first().waitFor();
  await watch.calm('the audit');
  await page.goto(`${site.url}/settings#retention`);
  await page.getByLabel('Days after the end').fill('0');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByRole('row').nth(1).waitFor();
  await watch.calm('a preview of what would go');
  await page.goto(`${site.url}/settings#redaction`);
  await page.getByLabel('Text').fill(`${TEXT} ghp_${'a1B2'.repeat(9)}`);
  await page.getByText('1 place would be masked.').waitFor();
  await watch.calm('a text that is tried');
});

test('hostile deliveries are inert in settings and in the tasks that they start', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { site, page } = await visit(t, {}, {}, [echo]);
  await site.tasks.start();
  const watch = await watched(page, site.url);
  const payload = githubPayload('issue_comment');
  const user = { ...(payload.sender as object), login: MARKUP[1], avatar_url: 'javascript:canary()' };
  for (const [said, event] of [
    [`/agent ${TEXT}`, 'issue_comment'],
    [TEXT, 'issue_comment'],
    [TEXT, '<img data-evil src=x onerror=canary()>'],
  ] as const) {
    const comment = { ...(payload.comment as object), body: said, user, author_association: 'OWNER' };
    const body = JSON.stringify({ ...payload, comment, sender: user, action: TITLE });
    const response = await fetch(`${site.url}/webhooks/github`, {
      method: 'POST',
      headers: {
        ...{
          'content-type': 'application/json',
          'x-github-event': event,
          'x-github-delivery': `${event} ${said.length}`,
        },
        'x-hub-signature-256': `sha256=${signed(SECRET, body)}`,
        'user-agent': '<script data-evil>canary()</script>',
      },
      body,
    });
    assert.ok(response.status < 500, await response.text());
  }
  await page.goto(`${site.url}/settings?webhook=github`);
  await page
    .getByRole('button', { name: /Delivery \d+, received/ })
    .nth(1)
    .waitFor();
  await watch.calm('deliveries');
  for (const nth of [0, 1]) {
    await page
      .getByRole('button', { name: /Delivery \d+, received/ })
      .nth(nth)
      .click();
    await page.getByRole('region', { name: /Body of delivery/ }).waitFor();
    await watch.calm('a delivery');
  }
  const { tasks } = await site.store.tasks({});
  for (const { taskId } of tasks) {
    await page.goto(`${site.url}/t/${taskId}`);
    await rowsOf(page).first().waitFor();
    await watch.calm('a task of a delivery');
  }
});
