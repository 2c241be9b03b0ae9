/** On every answer, so that clients know that they talk to a registry. */
export const apiVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' } as const;
