package kmod

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A signed module ends with (kernel: include/linux/module_signature.h)
//
//	ELF-FILE signer key-id signature TRAILER "~Module signature appended~\n"
//	TRAILER = algo(1) hash(1) id-type(1) signer-len(1) key-id-len(1) 0 0 0 sig-len(4, big endian)
//
// id-type 2 is PKCS#7, the only one since Linux 4.3: signer and key id are empty
// and the signature is a DER-encoded CMS SignedData (RFC 5652), out of which the
// issuer's common name, the serial number, the hash and the signature are taken.
// crypto/x509 would take 1 MB and 100 µs of start-up for that.

const signatureMagic = "~Module signature appended~\n"

// A Signature is what modinfo shows of a module's signature. It is not verified.
type Signature struct {
	ID            string // "PKCS#7"
	Signer        string
	KeyID         []byte
	HashAlgorithm string
	Bytes         []byte
}

// readSignature returns nil if the image has no signature.
func readSignature(im *image) (*Signature, error) {
	const trailer = 12
	tail := int64(trailer + len(signatureMagic))
	if im.size < tail {
		return nil, nil
	}
	end, err := im.bytes(im.size-tail, tail, nil)
	if err != nil || string(end[trailer:]) != signatureMagic {
		return nil, err
	}
	algo, hash, idType := end[0], end[1], end[2]
	signerLen, keyLen := int64(end[3]), int64(end[4])
	sigLen := int64(binary.BigEndian.Uint32(end[8:]))
	start := im.size - tail - sigLen - keyLen - signerLen
	if start < 0 {
		return nil, fmt.Errorf("%w: %s: signature is larger than the file", ErrCorrupt, im.path)
	}
	raw, err := im.bytes(start, signerLen+keyLen+sigLen, nil)
	if err != nil {
		return nil, err
	}
	s := &Signature{
		Signer: string(raw[:signerLen]),
		KeyID:  bytes.Clone(raw[signerLen : signerLen+keyLen]),
		Bytes:  bytes.Clone(raw[signerLen+keyLen:]),
	}
	if idType == 2 {
		s.ID = "PKCS#7"
		return s, s.parsePKCS7(im.path)
	}
	s.ID = nameAt([]string{"PGP", "X509", "PKCS#7"}, idType)
	s.HashAlgorithm = nameAt([]string{"md4", "md5", "sha1", "rmd160", "sha256", "sha384", "sha512", "sha224"}, hash)
	_ = algo // "DSA" or "RSA"; modinfo does not show it
	return s, nil
}

func nameAt(names []string, i byte) string {
	if int(i) < len(names) {
		return names[i]
	}
	return ""
}

var (
	oidCommonName = []byte{0x55, 0x04, 0x03}
	hashOids      = []struct {
		oid  []byte
		name string
	}{
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}, "sha256"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}, "sha384"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}, "sha512"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04}, "sha224"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x08}, "sha3-256"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x09}, "sha3-384"},
		{[]byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x0a}, "sha3-512"},
		{[]byte{0x2b, 0x0e, 0x03, 0x02, 0x1a}, "sha1"},
		{[]byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05}, "md5"},
		{[]byte{0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11}, "sm3"},
	}
)

// parsePKCS7 reads
//
//	ContentInfo { OID, [0] SignedData { version, digests, content,
//	  [0] certificates?, [1] crls?, SET OF SignerInfo { version,
//	  { issuer, serial } or [0] key id, { digest OID }, [0] attributes?,
//	  { signature OID }, OCTET STRING signature } } }
func (s *Signature) parsePKCS7(path string) error {
	d := der{rest: s.Bytes}
	signed := d.enter(0x30).skip(0x06).enter(0xa0).enter(0x30)
	signed = signed.skip(0x02).skip(0x31).skip(0x30).optional(0xa0).optional(0xa1)
	info := signed.enter(0x31).enter(0x30).skip(0x02)
	if id, rest, ok := info.next(0x80); ok { // subjectKeyIdentifier
		s.KeyID, info = bytes.Clone(id), der{rest: rest}
	} else {
		issuer := info.enter(0x30)
		names := issuer.enter(0x30)
		s.Signer = names.commonName()
		serial, _, _ := issuer.skip(0x30).next(0x02)
		s.KeyID = bytes.Clone(trimSign(serial))
		info = info.skip(0x30)
	}
	oid, _, _ := info.enter(0x30).next(0x06)
	for _, h := range hashOids {
		if bytes.Equal(h.oid, oid) {
			s.HashAlgorithm = h.name
		}
	}
	info = info.skip(0x30).optional(0xa0).skip(0x30)
	signature, _, ok := info.next(0x04)
	if !ok {
		return fmt.Errorf("%w: %s: signature is no PKCS#7", ErrCorrupt, path)
	}
	s.Bytes = bytes.Clone(signature)
	return nil
}

// trimSign drops the zero byte in front of a serial number with its top bit set.
func trimSign(serial []byte) []byte {
	if len(serial) > 1 && serial[0] == 0 {
		return serial[1:]
	}
	return serial
}

// A der walks over DER values. A step that does not fit leaves it empty, so that
// only the end of a walk needs a check.
type der struct{ rest []byte }

// next reads one value with this tag.
func (d der) next(tag byte) (value, rest []byte, ok bool) {
	b := d.rest
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	length, b := int(b[1]), b[2:]
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 || n > len(b) {
			return nil, nil, false
		}
		length = 0
		for _, c := range b[:n] {
			length = length<<8 | int(c)
		}
		b = b[n:]
	}
	if length > len(b) {
		return nil, nil, false
	}
	return b[:length], b[length:], true
}

func (d der) enter(tag byte) der {
	value, _, _ := d.next(tag)
	return der{value}
}

func (d der) skip(tag byte) der {
	_, rest, _ := d.next(tag)
	return der{rest}
}

func (d der) optional(tag byte) der {
	if _, rest, ok := d.next(tag); ok {
		return der{rest}
	}
	return d
}

// commonName searches a Name: SET { SEQUENCE { OID, string } } ...
func (d der) commonName() string {
	for len(d.rest) > 0 {
		attribute := d.enter(0x31).enter(0x30)
		oid, value, ok := attribute.next(0x06)
		if ok && bytes.Equal(oid, oidCommonName) && len(value) > 0 {
			text, _, _ := der{value}.next(value[0])
			return string(text)
		}
		d = d.skip(0x31)
	}
	return ""
}
