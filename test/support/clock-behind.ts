/**
 * Loaded before a program (`NODE_OPTIONS=--import=…`), sets its clock back by as many seconds as CLOCK_BEHIND_SECONDS says: what it
 * makes is old by the time that others see it.
 */
const behindMs = Number(process.env.CLOCK_BEHIND_SECONDS) * 1000;
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, words, newTarget) =>
    Reflect.construct(target, words.length === 0 ? [RealDate.now() - behindMs] : words, newTarget),
  get: (target, name) => (name === 'now' ? () => RealDate.now() - behindMs : Reflect.get(target, name)),
});

export {};
