import assert from 'node:assert/strict';
import test from 'node:test';
import { HOSTILE, UNSAFE } from '../support/hostile-text.ts';
import { served } from '../support/served.ts';

test('the lines of a task are a document without script, page by page in both directions', async (t) => {
  const { call, taskWith, intake } = await served(t);
  await taskWith('t', 25, (n) => ({ level: n % 10 === 0 ? 'ERROR' : 'INFO' }));
  const read = async (query: string) => {
    const answer = await call('GET', `/t/t/plain?limit=10${query}`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    const html = await answer.text();
    assert.doesNotMatch(html, /<script|<style|\son\w+=/);
    const links = [...html.matchAll(/<a href="(\?[^"]*)">([^<]*)</g)];
    return {
      html,
      seqs: [...html.matchAll(/id="L(\d+)"/g)].map(([, seq]) => Number(seq)),
      /** Where a link of the page leads, as more of the query. */
      to: (word: string) => {
        const query = links.find(([, , text]) => text === word)?.[1];
        return query?.replaceAll('&amp;', '&').replace('?limit=10', '');
      },
    };
  };
  const up = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const first = await read('');
  assert.deepEqual(first.seqs, up(1, 10));
  assert.equal(first.to('Previous lines'), undefined);
  const second = await read(first.to('Next lines') ?? '');
  assert.deepEqual(second.seqs, up(11, 20));
  const third = await read(second.to('Next lines') ?? '');
  assert.deepEqual([third.seqs, third.to('Next lines')], [up(21, 25), undefined]);
  assert.match(third.html, /No newer lines yet/);
  assert.deepEqual((await read(third.to('Previous lines') ?? '')).seqs, up(11, 20));
  const last = await read(first.to('Last lines') ?? '');
  assert.deepEqual([last.seqs, last.to('Next lines')], [up(16, 25), undefined]);
  const back = await read(last.to('Previous lines') ?? '');
  assert.deepEqual(back.seqs, up(6, 15));
  assert.deepEqual((await read(back.to('Next lines') ?? '')).seqs, up(16, 25));

  await intake.append({ taskId: 't', body: '{"message":"one more"}', format: 'json' });
  assert.deepEqual((await read(third.to('Look for newer lines') ?? '')).seqs, [26]);
  const errors = await read('&level=ERROR&q=line');
  assert.deepEqual(errors.seqs, [10, 20]);
  assert.match(errors.html, /<input type="hidden" name="level" value="ERROR">.*<input [^>]*name="q" value="line">/);
});

test('a document of lines holds strangers’ text as text', async (t) => {
  const { call, intake } = await served(t);
  await intake.createTask({ taskId: 't', title: HOSTILE[0] ?? '' });
  const body = JSON.stringify(HOSTILE.map((message) => ({ message, source: '<b data-evil>\u202e' })));
  await intake.append({ taskId: 't', body, format: 'json' });
  await intake.changeTask('t', { status: 'failed', error: HOSTILE.slice(0, 12).join(' ') });
  const sources = ['<b data-evil>\u202e', '"><script>canary()</script>'].map(encodeURIComponent);
  const answer = await call('GET', `/t/t/plain?source=${sources.join('&source=')}`);
  assert.equal(answer.status, 200);
  const html = await answer.text();
  const tags = [...html.matchAll(/<\/?(\w*)/g)].map(([, name]) => name);
  const ours = ['html', 'head', 'meta', 'title', 'body', 'header', 'main', 'nav', 'form', 'input', 'label', 'button'];
  const known = new Set([...ours, 'p', 'a', 'h1', 'h2', 'ul', 'li', 'pre', '']);
  assert.deepEqual(
    tags.filter((name) => !known.has(name ?? '')),
    [],
  );
  for (const line of html.split('\n')) assert.doesNotMatch(line, UNSAFE);
  const unquoted = html.replace(/"[^"]*"/g, '""');
  assert.doesNotMatch(unquoted, /<[^>]*(?:data-evil|\son\w+=|javascript:)/);
  assert.ok(html.includes('&lt;script data-evil&gt;canary()&lt;/script&gt;'));
});

test('a task that is not there, or is none, is a problem', async (t) => {
  const { json } = await served(t);
  assert.equal((await json('GET', '/t/nosuch/plain')).body.code, 'task_not_found');
  assert.equal((await json('GET', '/t/%20/plain')).status, 400);
  assert.equal((await json('GET', '/t/nosuch/plain?x=1')).body.code, 'unknown_parameter');
});
