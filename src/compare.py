from thermal_landmarks.commands.compare import main

if __name__ == "__main__":
    main()
