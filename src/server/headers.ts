import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

const DIRECTIVES = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  // Widths and colours that a script sets; no style element, no script but our own files.
  styleSrcAttr: ["'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

const HELMET: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
  // Whoever ends TLS before us decides on this one.
  strictTransportSecurity: false,
  frameguard: { action: 'deny' },
};

/** Nothing of a browser that a page of ours would ask for. */
const PERMISSIONS = 'camera=(), geolocation=(), microphone=(), payment=(), usb=()';

/** For answers that leave before any route is found: they are read by programs only. */
export const BARE_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

/** Headers of every answer: nothing of it is run, framed, sniffed or told to others, and none that holds data is kept. */
export async function addHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, HELMET);
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('permissions-policy', PERMISSIONS);
    // What may be kept says so itself: the page's own files.
    reply.header('cache-control', 'no-store');
  });
}
