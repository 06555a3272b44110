import { digestOf, type SignatureScheme } from './signature.ts';

/** What a sender knows when it signs. */
export interface Signing {
  readonly provider: string;
  /** How a webhook made at run time wants it, where it says so; else as the provider itself does. */
  readonly scheme: SignatureScheme | null;
  readonly secret: string;
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** How the known providers sign, but for Slack, who signs the time too. */
const KNOWN: ReadonlyMap<string, SignatureScheme> = new Map([
  ['github', { type: 'hmac-sha256', header: 'X-Hub-Signature-256', prefix: 'sha256=', encoding: 'hex' }],
  ['jira', { type: 'hmac-sha256', header: 'X-Hub-Signature', prefix: 'sha256=', encoding: 'hex' }],
  ['sentry', { type: 'hmac-sha256', header: 'Sentry-Hook-Signature', encoding: 'hex' }],
]);

/** The headers by which whoever verifies knows these very bytes: the other side of `verify`. None where nobody says how. */
export function signatureHeaders({ provider, scheme, secret, body, nowMs }: Signing): Readonly<Record<string, string>> {
  if (scheme === null && provider === 'slack') {
    const time = String(Math.floor(nowMs / 1000));
    const digest = digestOf(secret, [`v0:${time}:`, body], 'hex');
    return { 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': `v0=${digest}` };
  }
  const way = scheme ?? KNOWN.get(provider);
  switch (way?.type) {
    case 'hmac-sha256':
      return { [way.header]: `${way.prefix ?? ''}${digestOf(secret, [body], way.encoding)}` };
    case 'bearer':
      return { [way.header ?? 'Authorization']: `Bearer ${secret}` };
    case 'header-token':
      return { [way.header]: secret };
    default:
      return {};
  }
}
