/// A certificate for 127.0.0.1 and its key, made for these tests alone.
enum TestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBpDCCAUugAwIBAgIUVhdCVa9ZDKVxGc+eu9xlrennNoIwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOcGdiYXN0aW9uIHRlc3QwIBcNMjYxMTIzMTUwNzA4WhgPMjEy
        NjEwMzAxNTA3MDhaMBkxFzAVBgNVBAMMDnBnYmFzdGlvbiB0ZXN0MFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAEBNdcSDrTOfTO5h2QuZgF7TFtLZ63DfjEBbLHfy1p
        CVWqZ/v5fVs9DvdHPQZpQmZYSYuXX3mCPerYbotg57XCm6NvMG0wHQYDVR0OBBYE
        FAFGLyJvUiVuGzMjIWP2j3fBz7a6MB8GA1UdIwQYMBaAFAFGLyJvUiVuGzMjIWP2
        j3fBz7a6MA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxo
        b3N0MAoGCCqGSM49BAMCA0cAMEQCIF2GxA/FI+EtfuAD+ZdHvYdatw8roKjfEH/v
        7FDXUVoNAiBlfw9BIK/g+5d9B7XQet1ufGsNfgxq+CID44NYK9m+3g==
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6bY9vXdPrjEOPZFi
        huWYXNiwUudIJ+zZGWp37HvQE0+hRANCAAQE11xIOtM59M7mHZC5mAXtMW0tnrcN
        +MQFssd/LWkJVapn+/l9Wz0O90c9BmlCZlhJi5dfeYI96thui2DntcKb
        -----END PRIVATE KEY-----
        """
}
