// SPDX-License-Identifier: BSD-2-Clause
// Bouncy Castle's EST client against our server (run from its source by java). For each
// "LABEL SERIAL TOKEN" line on standard input ("-" for no label): /cacerts, /csrattrs, /simpleenroll
// with the kind of key that csrattrs asks for, bound to the TLS connection (tls-unique, TLS 1.2) if
// it asks for that, then /simplereenroll with the certificate. One line on standard output for each.
//
//   java -cp bcpkix.jar:... EstClient.java HOST:PORT SERVER-CA.pem
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.CSRAttributesResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.HttpAuth;
import org.bouncycastle.est.jcajce.ChannelBindingProvider;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.BCSSLConnection;
import org.bouncycastle.jsse.BCSSLSocket;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.Selector;

public class EstClient {
	static final Set<TrustAnchor> anchors = new HashSet<>();
	static String server;

	static class Binding implements ChannelBindingProvider {
		public boolean canAccessChannelBinding(Socket socket) {
			return socket instanceof BCSSLSocket;
		}

		public byte[] getChannelBinding(Socket socket, String type) {
			BCSSLConnection connection = ((BCSSLSocket) socket).getConnection();
			return connection == null ? null : connection.getChannelBinding(type);
		}
	}

	static ESTService service(String label, KeyManagerFactory keys) throws Exception {
		JsseESTServiceBuilder b =
			new JsseESTServiceBuilder(server, JcaJceUtils.getCertPathTrustManager(anchors, null));
		b.withProvider("BCJSSE").withTLSVersion("TLSv1.2");
		b.withHostNameAuthorizer((name, session) -> true); // the chain is checked; the name is 127.0.0.1
		b.withChannelBindingProvider(new Binding());
		if (!label.equals("-"))
			b.withLabel(label);
		if (keys != null)
			b.withKeyManagers(keys.getKeyManagers());
		return b.build();
	}

	static KeyPair keyFor(CSRAttributesResponse wishes) throws Exception {
		KeyPairGenerator g;
		if (wishes.hasRequirement(PKCSObjectIdentifiers.rsaEncryption)) {
			g = KeyPairGenerator.getInstance("RSA", "BC");
			g.initialize(2048);
		} else {
			g = KeyPairGenerator.getInstance("EC", "BC");
			g.initialize(new ECGenParameterSpec("P-256"));
		}
		return g.generateKeyPair();
	}

	static X509Certificate only(EnrollmentResponse r) throws Exception {
		if (!r.isCompleted())
			throw new Exception("not completed");
		Selector<X509CertificateHolder> all = null;
		X509CertificateHolder[] held = ESTService.storeToArray(r.getStore(), all);
		if (held.length != 1)
			throw new Exception(held.length + " certificates in the answer");
		return new JcaX509CertificateConverter().getCertificate(held[0]);
	}

	static String enrol(String label, String serial, String token) throws Exception {
		ESTService est = service(label, null);
		int cas = ESTService.storeToArray(est.getCACerts().getCertificateStore()).length;
		CSRAttributesResponse wishes = est.getCSRAttributes().getAttributesResponse();
		boolean bound = wishes.hasRequirement(PKCSObjectIdentifiers.pkcs_9_at_challengePassword);
		if (!bound && !wishes.hasRequirement(X9ObjectIdentifiers.id_ecPublicKey)
			&& !wishes.hasRequirement(PKCSObjectIdentifiers.rsaEncryption))
			throw new Exception("csrattrs asks for no key");
		KeyPair key = keyFor(wishes);
		PKCS10CertificationRequestBuilder request = new JcaPKCS10CertificationRequestBuilder(
			new X500Name("CN=" + serial), key.getPublic());
		String algorithm = key.getPublic().getAlgorithm().startsWith("EC") ? "ECDSA" : "RSA";
		ContentSigner signer = new JcaContentSignerBuilder("SHA256with" + algorithm).build(key.getPrivate());
		ESTAuth auth = new HttpAuth(serial, token.toCharArray());
		X509Certificate first = only(bound ? est.simpleEnrollPoP(false, request, signer, auth)
			: est.simpleEnroll(false, request.build(signer), auth));

		KeyStore store = KeyStore.getInstance("PKCS12");
		store.load(null, null);
		store.setKeyEntry("pump", key.getPrivate(), new char[0], new Certificate[] {first});
		KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX", "BCJSSE");
		keys.init(store, new char[0]);
		est = service(label, keys);
		X509Certificate second = only(bound ? est.simpleEnrollPoP(true, request, signer, null)
			: est.simpleEnroll(true, request.build(signer), null));
		if (second.equals(first) || !second.getPublicKey().equals(key.getPublic()))
			throw new Exception("the renewal is not another certificate for the same key");
		return serial + " cacerts=" + cas + " key=" + algorithm + " bound=" + bound + " "
			+ second.getSubjectX500Principal();
	}

	public static void main(String[] args) throws Exception {
		Security.addProvider(new BouncyCastleProvider());
		Security.addProvider(new BouncyCastleJsseProvider());
		server = args[0];
		try (FileInputStream in = new FileInputStream(args[1])) {
			for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
				anchors.add(new TrustAnchor((X509Certificate) c, null));
		}
		List<String> lines = new ArrayList<>();
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null;)
			lines.add(line);
		for (String line : lines) {
			String[] words = line.split(" ");
			try {
				System.out.println("ok " + enrol(words[0], words[1], words[2]));
			} catch (Exception e) {
				System.out.println("failed " + words[1] + ": " + e);
				e.printStackTrace();
			}
		}
	}
}
