// The part of tr46 that is used here; the package ships no types.
declare module 'tr46' {
  export interface ToAsciiOptions {
    checkBidi?: boolean
    checkHyphens?: boolean
    checkJoiners?: boolean
    ignoreInvalidPunycode?: boolean
    transitionalProcessing?: boolean
    useSTD3ASCIIRules?: boolean
    verifyDNSLength?: boolean
  }
  /** `null` where the name cannot be converted. */
  export function toASCII(domainName: string, options?: ToAsciiOptions): string | null
}
