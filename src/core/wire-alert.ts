import type { Alert, AlertDefinition, AlertDelivery, AlertPreview, AlertState } from './alert.ts';
import type { Wired } from './wire.ts';

export type WireAlertTarget = { readonly slack: string } | { readonly webhook: string; readonly secret_set: boolean };

export type WireAlert = Omit<Wired<AlertDefinition>, 'to'> &
  Omit<Wired<Alert>, 'definition' | 'state'> & {
    readonly to: readonly WireAlertTarget[];
    readonly state: Wired<AlertState>;
  };

/** `role` is that of who asked. */
export interface WireAlertList {
  readonly alerts: readonly WireAlert[];
  readonly role: 'reader' | 'writer' | 'admin';
}

export type WireAlertPreview = Wired<AlertPreview>;

export interface WireAlertTest {
  readonly delivered: readonly AlertDelivery[];
}
