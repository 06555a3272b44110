import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { EntryInput } from '../../src/core/entry.ts';
import { recorded } from '../support/recorded.ts';
import { noBrowser, rowsOf, seqsOf, until, visit } from './support.ts';

const page = { skip: noBrowser };

function rowOf(page: Page, seq: number) {
  return page.locator(`[role=listitem][data-seq="${seq}"]`);
}

function numbered(count: number, word = 'line'): string[] {
  return Array.from({ length: count }, (_, n) => `${word} ${n + 1}`);
}

const BUILD: readonly (EntryInput | string)[] = [
  'starting',
  '::group::Install',
  ...numbered(5_000, 'package'),
  '::endgroup::',
  '::group::Test',
  { message: 'it broke', level: 'ERROR' },
  '::endgroup::',
  'after all',
];

test('an agent’s run says who speaks, pairs calls with answers, and its outline leads there', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'agent' });
  await site.lines('agent', await recorded('success'));
  await site.change('agent', { status: 'completed' });
  await page.goto(`${site.url}/t/agent`);
  await page.getByText('tool result', { exact: false }).or(page.getByText('Read result')).first().waitFor();
  const words = await page.locator('.badge').allInnerTexts();
  for (const word of ['assistant', 'thinking', 'Bash', 'Bash result', 'result']) {
    assert.ok(
      words.some((each) => each.endsWith(word)),
      `${word} in ${words}`,
    );
  }
  await page.locator('.turn').first().waitFor();
  const outline = page.getByRole('complementary', { name: 'Outline' });
  await outline.getByText('Turn 2', { exact: true }).waitFor();
  const call = outline.locator('button.part', { hasText: 'Bash' }).first();
  await call.click();
  await until('the call is where keys act', async () =>
    (await page.locator('.row.current .badge').first().innerText()).endsWith('Bash'),
  );
  await until('the outline follows', async () => (await call.getAttribute('aria-current')) === 'location');
});

test('an edit is drawn as a diff, and Markdown only when asked, without any HTML of the log', page, async (t) => {
  const { site, page } = await visit(t);
  const text =
    '# Done\n\n**bold** <img src=x onerror=alert(1)> [good](https://example.org/a) [bad](javascript:alert(1))';
  await site.task({ taskId: 'edit' });
  await site.lines('edit', [
    {
      message: 'Edit src/a.ts',
      type: 'tool_call',
      metadata: {
        tool: 'Edit',
        tool_use_id: 't1',
        args: { file_path: 'src/a.ts', old_string: 'a\nb\n', new_string: 'a\nc\nd\n' },
      },
    },
    { message: text, type: 'output', metadata: { message_id: 'm1' } },
  ]);
  await page.goto(`${site.url}/t/edit`);
  await rowOf(page, 1).getByText('+2').waitFor();
  await rowOf(page, 1).getByText('−1').waitFor();
  await rowOf(page, 1).getByRole('button', { name: 'metadata' }).click();
  await page.locator('figure .line.new').first().waitFor();
  assert.deepEqual(
    await page
      .locator('figure .line.new')
      .allInnerTexts()
      .then((lines) => lines.length),
    2,
  );
  assert.equal(await page.locator('figure .line.gone').count(), 1);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await rowOf(page, 2).getByRole('button', { name: 'whole line' }).click();
  await page.getByRole('button', { name: 'As Markdown' }).click();
  const read = page.locator('.markdown');
  await read.getByRole('heading', { name: 'Done' }).waitFor();
  assert.equal(await read.locator('strong').innerText(), 'bold');
  assert.equal(await read.locator('img, script').count(), 0);
  const links = await read
    .locator('a')
    .evaluateAll((all) => all.map((a) => [a.getAttribute('href'), a.getAttribute('rel')]));
  assert.deepEqual(links, [['https://example.org/a', 'noopener noreferrer']]);
});

test(
  'what went well is folded over lines that were never loaded, what failed is open, and a choice is remembered',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    await site.task({ taskId: 'build' });
    await site.lines('build', BUILD);
    await site.change('build', { status: 'completed' });
    let reads = 0;
    page.on('request', (request) => {
      if (/\/logs\?/.test(request.url())) reads += 1;
    });
    await page.goto(`${site.url}/t/build`);
    await rowOf(page, 5_007).waitFor();
    assert.deepEqual(await seqsOf(page), [1, 2, 5_004, 5_005, 5_006, 5_007]);
    assert.ok(reads < 12, `${reads} reads for six rows`);
    assert.match(await rowOf(page, 2).innerText(), /Install.*5,001 lines/s);
    assert.match(await rowOf(page, 5_004).innerText(), /Test.*1 error/s);
    await page.getByRole('button', { name: 'Open the group Install' }).click();
    await rowOf(page, 3).waitFor();
    assert.ok(!(await seqsOf(page)).includes(5_007));
    await page.reload();
    await rowOf(page, 3).waitFor();
    await page.keyboard.press('Shift+F');
    await until('all is folded', async () => String(await seqsOf(page)) === '1,2,5004,5007');
    await page.keyboard.press(']');
    await page.keyboard.press(']');
    await page.keyboard.press('Enter');
    await until('the second group is open', async () => String(await seqsOf(page)) === '1,2,5004,5005,5006,5007');
  },
);

test('a link to a line within a folded group opens it', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'build' });
  await site.lines('build', BUILD);
  await site.change('build', { status: 'completed' });
  await page.goto(`${site.url}/t/build?seq=2500`);
  await rowOf(page, 2_500).waitFor();
  await until('the line stays in view', async () => {
    const box = await rowOf(page, 2_500).boundingBox();
    return box !== null && box.y > 100 && box.y < 800;
  });
});

test('a failed task opens at its first error and says where else to look', page, async (t) => {
  const { site, page } = await visit(t);
  const start = Date.UTC(2026, 0, 25, 10);
  await site.task({ taskId: 'bad' });
  await site.lines('bad', [
    ...Array.from({ length: 400 }, (_, n) => ({ message: `step ${n}`, timestamp: start + n * 100 })),
    { message: '::group::Deploy', timestamp: start + 41_000 },
    { message: 'connection refused', level: 'ERROR', timestamp: start + 42_000 },
    { message: '::endgroup::', timestamp: start + 43_000 },
    { message: 'giving up', level: 'ERROR', timestamp: start + 900_000 },
    ...Array.from({ length: 400 }, (_, n) => ({ message: `cleanup ${n}`, timestamp: start + 901_000 + n * 100 })),
  ]);
  await site.change('bad', { status: 'failed', exitCode: 3 });
  await page.goto(`${site.url}/t/bad`);
  await page.locator('[data-seq="402"].current').waitFor();
  const causes = page.getByRole('navigation', { name: 'What may have gone wrong' });
  await causes.getByText('exit code 3').waitFor();
  assert.match(await causes.innerText(), /first error.*line 402.*last error.*line 404.*silent for 14m.*line 403/s);
  await causes.getByRole('button', { name: /last error/ }).click();
  await page.locator('[data-seq="404"].current').waitFor();
});

test('lines that repeat are told once with their count, and stack traces by their first line', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines('demo', [
    'begin',
    ...Array.from({ length: 312 }, () => 'waiting for the lock'),
    { message: 'TypeError: no', level: 'ERROR' },
    ...['a', 'b', 'c', 'd'].map((name) => ({ message: `    at ${name} (src/${name}.ts:1:2)`, level: 'ERROR' })),
    'end',
  ]);
  await page.goto(`${site.url}/t/demo`);
  await page.getByRole('button', { name: 'The same line 312 times' }).waitFor();
  await page.getByRole('button', { name: '4 lines of the stack trace' }).waitFor();
  await until('few rows are left', async () => String(await seqsOf(page)) === '1,2,314,319');
  await page.getByRole('button', { name: '4 lines of the stack trace' }).click();
  await rowOf(page, 315).waitFor();
  await page.getByRole('button', { name: 'Repeats × n' }).click();
  await until('the repeats are back', async () => (await rowsOf(page).count()) > 20);
  await page.goto(`${site.url}/t/demo?search=waiting`);
  await page.getByText('312 of').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Repeats × n' }).isDisabled());
  assert.match(
    (await page.getByRole('button', { name: 'Repeats × n' }).getAttribute('title')) ?? '',
    /Nothing is folded while lines are filtered/,
  );
});

test('a group that runs is open, and folds when it ends well while its end is followed', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'live' });
  await site.lines('live', ['begin', '::group::Work', 'one']);
  await page.goto(`${site.url}/t/live`);
  await page.locator('[data-connection=live]').waitFor();
  await rowOf(page, 2).getByText('running').waitFor();
  await rowOf(page, 3).waitFor();
  await site.lines('live', ['two', '::endgroup::', 'next']);
  await until('the group is folded', async () => String(await seqsOf(page)) === '1,2,6');
});

test('levels differ by word, shape and colour', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'levels' });
  await site.lines(
    'levels',
    (['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const).map((level) => ({ message: 'a line', level })),
  );
  await page.goto(`${site.url}/t/levels`);
  await rowOf(page, 4).waitFor();
  const looks = await page
    .locator('.row .level')
    .evaluateAll((all) => all.map((level) => [level.textContent, getComputedStyle(level).color]));
  assert.deepEqual(
    looks.map(([text]) => text?.trim()),
    ['○ DEBUG', '● INFO', '▲ WARNING', '✖ ERROR'],
  );
  assert.equal(new Set(looks.map(([, colour]) => colour)).size, 4);
});

test('a structured line is one line, and a value of it becomes the filter', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'json' });
  await site.lines('json', [
    '{"level":"info","msg":"request done","status":200,"user":{"id":7}}',
    '{"level":"info","msg":"request done","status":500,"user":{"id":8}}',
  ]);
  await page.goto(`${site.url}/t/json`);
  await until('the summary is there', async () => /request done\s*status=200/.test(await rowOf(page, 1).innerText()));
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Only lines where status is this' }).click();
  await page.getByText('1 of 2').waitFor();
  assert.deepEqual(await seqsOf(page), [1]);
});

test(
  'a long line is cut and opens; a line that was drawn over shows its end and, asked for, its history',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    await site.task({ taskId: 'demo' });
    await site.lines('demo', ['y'.repeat(40_000), '10 %\r50 %\r100 % done']);
    await page.goto(`${site.url}/t/demo`);
    await rowOf(page, 1).getByText('+38 KB').waitFor();
    assert.equal((await rowOf(page, 1).locator('.text').innerText()).length, 2_000);
    assert.equal(await rowOf(page, 2).locator('.text').innerText(), '100 % done');
    await rowOf(page, 2).getByText('↻ 2').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByText('History: drawn over 2 times').click();
    assert.deepEqual((await page.getByLabel('What line 2 showed').innerText()).trim().split('\n'), [
      '10 %',
      '50 %',
      '100 % done',
    ]);
  },
);

test('every colour of a terminal can be read in every theme', page, async (t) => {
  const { site, page } = await visit(t);
  const codes = [
    ...Array.from({ length: 256 }, (_, n) => `\u001b[38;5;${n}mc${n}`),
    ...Array.from({ length: 64 }, (_, n) => `\u001b[38;2;${(n * 37) % 256};${(n * 91) % 256};${(n * 13) % 256}mt${n}`),
    ...Array.from({ length: 64 }, (_, n) => `\u001b[38;5;${n * 4};48;5;${255 - n * 3}mb${n}`),
    ...Array.from(
      { length: 16 },
      (_, n) => `\u001b[2;38;5;${n}md${n}\u001b[0m\u001b[48;5;${n}me${n}\u001b[0m\u001b[7;38;5;${n}mi${n}`,
    ),
  ];
  const lines = Array.from({ length: Math.ceil(codes.length / 50) }, (_, n) =>
    codes.slice(n * 50, n * 50 + 50).join('\u001b[0m'),
  );
  await site.task({ taskId: 'colours' });
  await site.lines('colours', lines);
  await page.goto(`${site.url}/t/colours`);
  await rowOf(page, lines.length).waitFor();
  for (const theme of ['light', 'dark', 'contrast']) {
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name;
    }, theme);
    const poor = await page.evaluate(poorContrasts);
    assert.ok(poor.seen > 350, `${poor.seen} pieces`);
    assert.deepEqual(poor.found, [], theme);
  }
});

test('hostile text breaks no row, runs nothing, and leads nowhere it should not', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'hostile' });
  const hostile = [
    '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>',
    `a${'\u0301'.repeat(10_000)}`,
    'safe\u202egnp.exe\u2066 \u200b\u200b\ufeff',
    '\u001b]8;;javascript:document.title="owned"\u001b\\click\u001b]8;;\u001b\\ \u001b]8;;data:text/html,x\u0007data',
    '\u001b[31munterminated \u001b[38;5',
    'one\ntwo\nthree\n'.repeat(50),
    `::group::${'\u202e'.repeat(50)}<b>x</b>`,
    '::endgroup::',
    '{"a\u202eb":"<img src=x onerror=alert(1)>","__proto__":{"x":1},"msg":"\u0007\u0000"}',
    `${'\u001b[999C'.repeat(200)}far`,
    '\u001b[999A\u001b[2J\u001b[Hup',
    'ﷺ'.repeat(500),
    '👩‍👩‍👧‍👦'.repeat(200),
    `[redacted:${'x'.repeat(500)}]`,
    `http://${'a'.repeat(3_000)}.example`,
  ];
  await site.lines('hostile', [
    ...hostile,
    {
      message: hostile[0] ?? '',
      type: 'tool_call',
      metadata: { tool: '<b>\u202eBash', tool_use_id: 'x', args: { file_path: '<i>', content: hostile[1] ?? '' } },
    },
    { message: '\r'.repeat(2_000), type: 'thinking', metadata: { message_id: 'm', turn: 1, agent: '\u202e' } },
  ]);
  await page.goto(`${site.url}/t/hostile?outline=1`);
  await rowOf(page, 17).waitFor();
  await page.getByRole('complementary', { name: 'Outline' }).waitFor();
  const heights = await rowsOf(page).evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  assert.ok(
    heights.every((px) => px <= 44),
    String(heights),
  );
  assert.notEqual(await page.title(), 'owned');
  const seqs = await seqsOf(page);
  for (const seq of [3, 9, 16].filter((each) => seqs.includes(each))) {
    const more = rowOf(page, seq).locator('.more button').last();
    if ((await more.count()) > 0) await more.click();
  }
  await page.locator('.details').first().waitFor();
  assert.equal(await page.locator('[role=log] img, [role=log] script, [role=log] b i').count(), 0);
  const links = await page
    .locator('[role=log] .text a')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
  assert.ok(
    links.every((href) => /^(?:https?:\/\/|mailto:)/.test(href)),
    String(links),
  );
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false);
});

test('on a narrow screen the outline is a sheet over the lines, and leaves no page to scroll', page, async (t) => {
  const { site, page } = await visit(t, { viewport: { width: 360, height: 740 } });
  await site.task({ taskId: 'build' });
  await site.lines('build', BUILD);
  await site.change('build', { status: 'completed' });
  await page.goto(`${site.url}/t/build`);
  await rowOf(page, 2).waitFor();
  assert.equal(await page.getByRole('complementary', { name: 'Outline' }).count(), 0);
  await page.getByRole('button', { name: 'View' }).click();
  await page.getByRole('button', { name: 'Outline' }).click();
  const outline = page.getByRole('complementary', { name: 'Outline' });
  await outline.getByText('Test', { exact: true }).click();
  await page.locator('[data-seq="5004"].current').waitFor();
  const fits = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  assert.ok(fits);
});

test(
  'axe finds nothing serious in agent rows, diffs, Markdown, groups and the outline, in any theme',
  page,
  async (t) => {
    const { site, page } = await visit(t, { viewport: { width: 1280, height: 1000 } });
    await site.task({ taskId: 'mixed' });
    await site.lines('mixed', [
      ...(await recorded('success')),
      ...BUILD.filter((_, n) => n < 5 || n > 5_000),
      {
        message: '# Title\n\n| a | b |\n|---|---|\n| `c` | [d](https://example.org/) |\n',
        type: 'output',
        metadata: { message_id: 'm9' },
      },
      '{"msg":"fields","n":1,"none":null,"yes":true}',
      'token [redacted:github-token] at src/a.ts:1:2 of https://example.org/',
      ...numbered(3, 'same').map(() => 'same'),
    ]);
    await site.change('mixed', { status: 'failed', exitCode: 1 });
    await page.goto(`${site.url}/t/mixed?outline=1`);
    const edit = rowsOf(page).filter({ hasText: '−1' }).first();
    await edit.getByRole('button', { name: 'metadata' }).click();
    await page.locator('figure').waitFor();
    await rowsOf(page).filter({ hasText: '# Title' }).getByRole('button', { name: 'whole line' }).click();
    await page.getByRole('button', { name: 'As Markdown' }).last().click();
    await page.locator('.markdown table').waitFor();
    await page.getByRole('complementary', { name: 'Outline' }).getByText('Install', { exact: true }).waitFor();
    for (const theme of ['light', 'dark', 'contrast']) {
      await page.evaluate((name) => {
        document.documentElement.dataset.theme = name;
      }, theme);
      const { violations } = await new AxeBuilder({ page }).include('.panel').analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      assert.deepEqual(
        serious.map(({ id, nodes }) => [
          id,
          nodes.slice(0, 4).map(({ html, any }) => `${html.slice(0, 160)} | ${any[0]?.message}`),
        ]),
        [],
        theme,
      );
    }
  },
);

/** Runs in the page: pieces of text with a colour of the log whose contrast to what lies behind is below 4.5. */
function poorContrasts(): { seen: number; found: string[] } {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour: string): number[] => {
    if (context === null) return [];
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = rgba(colour).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): string => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if ((rgba(backgroundColor)[3] ?? 0) > 250) return backgroundColor;
    }
    return 'white';
  };
  const found: string[] = [];
  const pieces = [...document.querySelectorAll('[role=log] .text span')].filter((span) =>
    /^[a-z]\d+$/.test(span.textContent ?? ''),
  );
  for (const span of pieces) {
    const [a, b] = [light(getComputedStyle(span).color), light(behind(span))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${span.textContent}: ${ratio.toFixed(2)}`);
  }
  return { seen: pieces.length, found };
}
