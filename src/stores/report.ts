// How a store tells what happens in its life (a child restarted, a setting that is not safe) without knowing the logger.

export type Report = (level: 'info' | 'warn' | 'error', message: string) => void;

/** For callers that have no use for it. */
export const silent: Report = () => {};
