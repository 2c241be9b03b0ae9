const ISO =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?)?$/;

/** Milliseconds since the epoch of a W3C date (ISO 8601 with a zone) or of seconds since the epoch; undefined for other text. */
export function parseDate(text: string): number | undefined {
  const found = ISO.exec(text);
  if (found === null) return /^[0-9]{5,13}(\.[0-9]+)?$/.test(text) ? Number(text) * 1000 : undefined;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] =
    found;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const secondsOfDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  if (!isDay || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60 || secondsOfDay > 86_400)
    return undefined;
  return date.getTime() + secondsOfDay * 1000 + Number(`0.${fraction}`) * 1000 - zoneMinutes(zone) * 60_000;
}

function zoneMinutes(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith('-') ? -minutes : minutes;
}
