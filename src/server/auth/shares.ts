import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Credential } from '../../core/credential.ts';
import { isSame } from './secret.ts';

/** How links that we sign begin. */
export const SHARE_PREFIX = 'tts_';
const TEXT = /^tts_(shr_[\w-]{12})\.([\w-]{43})$/;
const PARTS = ['metadata', 'input', 'webhook-flow', 'agent-output', 'user-inputs', 'final-result', 'full'];
const LOGS = [
  '',
  '/stats',
  '/sources',
  '/histogram',
  '/facets',
  '/download',
  '/ws',
  ...PARTS.map((name) => `/${name}`),
];
const BELOW_TASK = ['', '/status', '/outline', ...LOGS.map((place) => `/logs${place}`)];

/** What a link to a task opens: reading that task, and nothing that tells of another. */
export const SHARED_ROUTES: ReadonlySet<string> = new Set([
  ...['/api/tasks', '/tasks'].flatMap((prefix) => BELOW_TASK.map((place) => `${prefix}/:task_id${place}`)),
  '/ws/logs/:task_id',
  '/t/:task_id/plain',
]);

/** The task that a request reads, when a link could open that. */
export function sharedTaskOf(request: FastifyRequest): string | undefined {
  const { url } = request.routeOptions;
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  if (url === undefined || !SHARED_ROUTES.has(url)) return undefined;
  return (request.params as { task_id?: string }).task_id;
}

/** What stands in a link: the id of what is kept of it, and a signature over all that it grants. */
export function shareText(share: Credential, key: Buffer): string {
  return `${SHARE_PREFIX}${share.id}.${signatureOf(share, key).toString('base64url')}`;
}

export function shareIdOf(text: string): string | undefined {
  return TEXT.exec(text)?.[1];
}

export function isSignedShare(text: string, share: Credential, key: Buffer): boolean {
  const signature = TEXT.exec(text)?.[2];
  return signature !== undefined && isSame(Buffer.from(signature, 'base64url'), signatureOf(share, key));
}

function signatureOf({ id, taskId, expiresAt }: Credential, key: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify(['share', id, taskId, expiresAt]))
    .digest();
}
