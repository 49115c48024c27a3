import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a JKS trust store from a PEM bundle: {@code java TrustStore.java BUNDLE STORE}.
 *
 * <p>The same bundle gives the same bytes. KeyStore would stamp each entry with the present time, so the format is
 * written here; an entry's date is the day from which its certificate is valid.
 */
final class TrustStore {
    private static final int MAGIC = 0xFEEDFEED;
    private static final int VERSION = 2;
    private static final int TRUSTED_CERTIFICATE = 2;
    private static final String PASSWORD = "changeit";
    private static final String SALT = "Mighty Aphrodite";

    private TrustStore() {}

    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        Map<String, X509Certificate> authorities = read(Path.of(arguments[0]));
        if (authorities.isEmpty()) {
            throw new IOException(arguments[0] + " holds no certificate");
        }
        Files.write(Path.of(arguments[1]), encode(authorities));
        System.out.println(authorities.size() + " certificate authorities");
    }

    /** The bundle's certificates by alias, the SHA-256 fingerprint. */
    private static Map<String, X509Certificate> read(Path bundle) throws IOException, GeneralSecurityException {
        Map<String, X509Certificate> authorities = new TreeMap<>();
        try (InputStream stream = Files.newInputStream(bundle)) {
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
                byte[] fingerprint = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
                authorities.put(HexFormat.of().formatHex(fingerprint), (X509Certificate) certificate);
            }
        }
        return authorities;
    }

    private static byte[] encode(Map<String, X509Certificate> authorities)
            throws IOException, GeneralSecurityException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeInt(authorities.size());
        for (Map.Entry<String, X509Certificate> authority : authorities.entrySet()) {
            byte[] encoded = authority.getValue().getEncoded();
            out.writeInt(TRUSTED_CERTIFICATE);
            out.writeUTF(authority.getKey());
            out.writeLong(authority.getValue().getNotBefore().getTime());
            out.writeUTF("X.509");
            out.writeInt(encoded.length);
            out.write(encoded);
        }
        out.write(digest(bytes.toByteArray()));
        return bytes.toByteArray();
    }

    /** The check sum that JKS ends with. */
    private static byte[] digest(byte[] data) throws GeneralSecurityException {
        MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
        sha1.update(PASSWORD.getBytes(StandardCharsets.UTF_16BE));
        sha1.update(SALT.getBytes(StandardCharsets.UTF_8));
        return sha1.digest(data);
    }
}
