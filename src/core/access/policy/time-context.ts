/** The condition keys that follow from the time (IAM user guide, "AWS global condition context keys"). */
export function timeContext(now: Date): [key: string, value: string][] {
  return [
    ['aws:currenttime', now.toISOString()],
    ['aws:epochtime', String(Math.floor(now.getTime() / 1000))],
  ];
}
