export async function writeDocuments(_root: string, _fresh: string): Promise<void> {}
