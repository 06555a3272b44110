import { createHash } from 'node:crypto';

/** Letters that look drawn by lot, the same for the same seed: made of the shapes only, none was ever issued. */
export function letters(seed: string, count: number, alphabet = ALL): string {
  let text = '';
  for (let round = 0; text.length < count; round++) {
    for (const byte of createHash('sha512').update(`${seed} ${round}`).digest()) {
      text += alphabet[byte % alphabet.length];
    }
  }
  return text.slice(0, count);
}

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ALL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A token of each family that is known, by its kind; put together here so that no scanner takes them for real. */
export function tokens(seed: string): Readonly<Record<string, string>> {
  const of = (name: string, count: number, alphabet?: string) => letters(`${seed} ${name}`, count, alphabet);
  return {
    'aws-key': `AKIA${of('aws', 16, CAPITALS)}`,
    'github-token': `ghp_${of('github', 36)}`,
    'gitlab-token': `glpat-${of('gitlab', 20)}`,
    'slack-token': `xoxb-${of('slack', 12, '0123456789')}-${of('slack b', 24)}`,
    'stripe-key': `sk_live_${of('stripe', 24)}`,
    'anthropic-key': `sk-ant-api03-${of('anthropic', 40)}`,
    'openai-key': `sk-proj-${of('openai', 40)}`,
    'google-key': `AIza${of('google', 35)}`,
    'npm-token': `npm_${of('npm', 36)}`,
    'pypi-token': `pypi-AgE${of('pypi', 60)}`,
    'tasktrail-token': `tt_${of('tasktrail', 43)}`,
    jwt: `eyJ${of('jwt a', 20)}.eyJ${of('jwt b', 40)}.${of('jwt c', 43)}`,
  };
}

/** A private key of a few lines, the last one short. */
export function privateKey(seed: string): { readonly text: string; readonly body: readonly string[] } {
  const body = [1, 2, 3].map((n) => letters(`${seed} key ${n}`, 64)).concat(`${letters(`${seed} end`, 10)}==`);
  const frame = (word: string) => `-----${word} RSA PRIVATE KEY-----`;
  return { text: [frame('BEGIN'), ...body, frame('END')].join('\n'), body };
}

/** As logs carry a token: plain, quoted, escaped once and twice, in a URL, coloured around and inside. */
export function settings(token: string): readonly string[] {
  const half = Math.floor(token.length / 2);
  const json = JSON.stringify({ log: `first\n${token}\tend` });
  return [
    `before ${token} after`,
    `key="${token}"`,
    json,
    JSON.stringify({ body: json }),
    `https://example.org/?x=1%3D${token}&y=2`,
    `\u001b[31m${token}\u001b[0m`,
    `\u001b[1;31m${token.slice(0, half)}\u001b[0m\u001b[K${token.slice(half)}`,
    JSON.stringify(`\u001b[31m${token}\u001b[0m`),
    `${token.slice(0, half)}\\u001b[31m${token.slice(half)}`,
  ];
}
