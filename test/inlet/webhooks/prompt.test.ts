import assert from 'node:assert/strict';
import { test } from 'node:test';
import { github } from '../../../src/inlet/webhooks/github.ts';
import { builtInPrompt } from '../../../src/inlet/webhooks/prompt.ts';
import { delivery, githubPayload } from '../../support/webhooks.ts';

test('the prompt of a built-in command is the request and where it was said', () => {
  const event = github.read(delivery(githubPayload('issue_comment'), { 'x-github-event': 'issue_comment' }));
  assert.equal(
    builtInPrompt(event, 'fix the empty cart'),
    [
      'fix the empty cart',
      '',
      'Repository: acme/shop',
      'Issue: 42',
      'Title: Checkout fails with an empty cart',
      'URL: https://github.com/acme/shop/issues/42#issuecomment-9001',
      'Description: ',
      'Steps: empty the cart, press pay.',
    ].join('\n'),
  );
});
