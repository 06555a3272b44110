import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { documentText } from '../../../src/inlet/webhooks/atlassian-document.ts';
import { plainAnswer, saidAnswer, saidWord } from '../../../src/inlet/webhooks/command.ts';
import { spokenMarkdown, spokenMrkdwn, spokenWiki } from '../../../src/inlet/webhooks/spoken.ts';

const WORDS = ['/agent', '@agent'];
const request = (message: string, spokenOf = spokenMarkdown) =>
  saidWord({ message, spoken: spokenOf(message) }, WORDS)?.request ?? null;

describe('a command word', () => {
  test('with a slash stands at the start of a line, in any case', () => {
    assert.equal(request('/agent fix it'), 'fix it');
    assert.equal(request('Hello\n  /Agent: fix it\nand that'), 'fix it\nand that');
    for (const text of [
      'see /agent for help',
      'usr/agent',
      '/agents fix',
      '/agent-smith fix',
      '/agent/x',
      'x/agent y',
    ]) {
      assert.equal(request(text), null, text);
    }
  });

  test('with an at sign stands anywhere on its own', () => {
    assert.equal(request('Hey @agent, fix it'), 'fix it');
    assert.equal(request('(@agent fix it)'), 'fix it)');
    assert.equal(request('please ask @agent'), '');
    for (const text of [
      'me@agent fix',
      '@agent.example fix',
      '@agents fix',
      '@agent-smith fix',
      'x/@agent fix',
      '@agent/team fix',
    ]) {
      assert.equal(request(text), null, text);
    }
  });

  test('that comes first wins', () => {
    assert.equal(request('@agent first\n/agent second'), 'first\n/agent second');
    assert.equal(request('say\n/agent second @agent third'), 'second @agent third');
  });

  test('passes on the code and the quotes that follow it', () => {
    assert.equal(
      request('/agent run this:\n```\nnpm test\n```\n> and read this'),
      'run this:\n```\nnpm test\n```\n> and read this',
    );
  });

  test('may have characters that patterns read in another way', () => {
    const message = '/a-b_c now';
    assert.equal(saidWord({ message, spoken: message }, ['/a-b_c'])?.request, 'now');
    assert.equal(saidWord({ message: '/axb', spoken: '/axb' }, ['/a-b']), null);
  });
});

describe('what does not count as spoken', () => {
  const HIDDEN: Readonly<Record<string, string>> = {
    'a quote': '> /agent fix',
    'a quote in a list': '- > /agent fix',
    'a fence': 'x\n```\n/agent fix\n```',
    'a fence with a language': '```sh\n/agent fix\n```',
    'a fence of tildes': '~~~\n/agent fix\n~~~',
    'a longer fence around a shorter': '````\n```\n/agent fix\n```\n````',
    'a fence in a list': '1. ```\n   /agent fix\n   ```',
    'a fence that never ends': '```\n/agent fix',
    'inline code': 'write `@agent fix` for it',
    'inline code of two backticks': 'write `` a ` @agent fix `` for it',
    'inline code over two lines': 'write `so\n/agent fix` now',
    'indented code': 'so:\n\n    /agent fix\n',
    'indented code at the start': '    /agent fix',
    'a comment of HTML': '<!-- say\n/agent fix\n-->',
    'code of HTML': '<PRE>\n/agent fix\n</PRE>',
    'a quote of HTML': '<blockquote>\n/agent fix\n</blockquote>',
  };
  for (const [name, text] of Object.entries(HIDDEN)) {
    test(`${name}: in it nothing is said, after it something is`, () => {
      assert.equal(request(text), null);
      if (!name.includes('never')) assert.equal(request(`${text}\n\n/agent go`), 'go');
    });
  }

  test('marks that only look like code hide nothing', () => {
    assert.equal(request("it's 5` high\n\n/agent go `now"), 'go `now');
    assert.equal(request('text\n    /agent go'), 'go');
    assert.equal(request('a > b\n/agent go'), 'go');
    assert.equal(request('> quoted\n/agent go'), 'go');
    assert.equal(request('```x``` is code\n/agent go'), 'go');
  });

  test('in Jira: code, quotes and what is preformatted', () => {
    for (const text of [
      '{code}\n/agent fix\n{code}',
      '{code:java|title=x}\n/agent fix\n{code}',
      '{noformat}\n/agent fix\n{noformat}',
      '{quote}\n/agent fix\n{quote}',
      'bq. @agent fix',
      '> @agent fix',
      'write {{@agent fix}} for it',
    ]) {
      assert.equal(request(text, spokenWiki), null, text);
      assert.equal(request(`${text}\n/agent go`, spokenWiki), 'go', text);
    }
    assert.equal(request('{code}\n/agent fix', spokenWiki), null);
  });

  test('in Slack: code and quotes', () => {
    for (const text of ['```/agent fix```', '```\n/agent fix\n```', '`@agent fix`', '> @agent fix']) {
      assert.equal(request(text, spokenMrkdwn), null, text);
      assert.equal(request(`${text}\n/agent go`, spokenMrkdwn), 'go', text);
    }
  });

  test('keeps the place of every character, whatever the text', () => {
    const piece = fc.constantFrom(
      '`',
      '```',
      '~~~',
      '\n',
      '\n\n',
      '> ',
      '    ',
      '<!--',
      '-->',
      '<pre>',
      '</PRE>',
      '{code}',
      '{quote}',
      '{{',
      '}}',
      'İ',
      '🚀',
      'a',
      '/agent ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 60 }).map((all) => all.join('')),
          fc.string(),
        ),
        (text) => {
          for (const spokenOf of [spokenMarkdown, spokenWiki, spokenMrkdwn]) {
            const spoken = spokenOf(text);
            assert.equal(spoken.length, text.length);
            for (let place = 0; place < text.length; place++) {
              assert.ok(spoken[place] === text[place] || spoken[place] === ' ');
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is found in a hostile text as fast as in another', () => {
    for (const piece of [
      '`',
      '``` ',
      '{code:',
      '{code}',
      '<!--',
      '<pre>',
      '>',
      ' ',
      '\n',
      ' \n',
      '/agent',
      '@agent.',
      '~~~\n',
      '{{',
      '- ',
      `${'`'.repeat(7)} `,
    ]) {
      const text = piece.repeat(Math.ceil(100_000 / piece.length));
      const startMs = performance.now();
      for (const spokenOf of [spokenMarkdown, spokenWiki, spokenMrkdwn]) request(text, spokenOf);
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < 2_000, `${JSON.stringify(piece)} took ${tookMs} ms`);
    }
  });
});

describe("a document of Atlassian's editor", () => {
  test('is read with its mentions and line breaks, and its inline code is not spoken', () => {
    const document = {
      type: 'doc',
      content: [
        {
          type: 'paragraph',
          content: [
            { type: 'mention', attrs: { id: '1', text: '@agent' } },
            { type: 'text', text: ' look' },
            { type: 'hardBreak' },
            { type: 'text', text: '@agent', marks: [{ type: 'code' }] },
          ],
        },
      ],
    };
    assert.deepEqual(documentText(document), { text: '@agent look\n@agent', spoken: '@agent look\n      ' });
  });

  test('that is none is empty', () => {
    for (const body of [null, undefined, 5, [], { content: 'x' }, { type: 'text', text: 7 }]) {
      assert.deepEqual(documentText(body), { text: '', spoken: '' });
    }
  });
});

describe('an answer to a plan', () => {
  const answer = (message: string) => saidAnswer({ message, spoken: spokenMarkdown(message) });

  test('is a word with a slash, and a reason or a task', () => {
    const { index: _, ...said } = answer('Good.\n/reject too risky\nfor now') ?? { index: 0 };
    assert.deepEqual(said, { verdict: 'reject', taskId: null, comment: 'too risky\nfor now' });
    assert.equal(answer('/approve task-01KABC: go')?.taskId, 'task-01KABC');
    assert.equal(answer('/approve task-01KABC: go')?.comment, 'go');
    assert.equal(answer('> /approve'), null);
    assert.equal(answer('I would /approve'), null);
    assert.equal(answer('/approved'), null);
  });

  test('in a talk with a bot needs no slash, and is nothing but an answer', () => {
    for (const text of ['approve', 'Approve!', '/approve', ' approve. '])
      assert.equal(plainAnswer(text)?.verdict, 'approve', text);
    assert.equal(plainAnswer('reject: no')?.comment, 'no');
    for (const text of ['approve it', 'approve the icons', 'do not approve', 'approved', '', 'rejects']) {
      assert.equal(plainAnswer(text), null, text);
    }
  });
});
