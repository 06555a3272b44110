import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerSettings } from '../parts.ts';

export const SESSION_COOKIE = 'tasktrail_session';
const SHARES_COOKIE = 'tasktrail_shares';
/** Links that one browser has open at a time; of more the oldest is forgotten. */
const SHARES_OPEN = 8;
const BETWEEN = '~';

export function setSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { cookie, seconds, settings }: { cookie: string; seconds: number; settings: ServerSettings },
): void {
  reply.setCookie(SESSION_COOKIE, cookie, { ...guarded(request, settings), maxAge: seconds });
}

export function clearCookies(request: FastifyRequest, reply: FastifyReply, settings: ServerSettings): void {
  for (const name of [SESSION_COOKIE, SHARES_COOKIE]) {
    if (request.cookies[name] !== undefined) reply.clearCookie(name, guarded(request, settings));
  }
}

/** The links that this browser has opened, the last one first. */
export function sharesIn(request: FastifyRequest): readonly string[] {
  return (request.cookies[SHARES_COOKIE] ?? '').split(BETWEEN).slice(0, SHARES_OPEN);
}

export function addShare(
  request: FastifyRequest,
  reply: FastifyReply,
  { text, seconds, settings }: { text: string; seconds: number; settings: ServerSettings },
): void {
  const others = sharesIn(request).filter((other) => other !== '' && other !== text);
  const all = [text, ...others].slice(0, SHARES_OPEN).join(BETWEEN);
  reply.setCookie(SHARES_COOKIE, all, { ...guarded(request, settings), maxAge: seconds });
}

/** No script reads it, no other site sends it, nothing else on the host gets it, and it leaves by TLS only where there is TLS. */
function guarded({ protocol }: FastifyRequest, { publicUrl }: ServerSettings): CookieSerializeOptions {
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  const path = `${url?.pathname.replace(/\/+$/, '') ?? ''}/`;
  return { path, httpOnly: true, sameSite: 'strict', secure: (url?.protocol ?? `${protocol}:`) === 'https:' };
}
