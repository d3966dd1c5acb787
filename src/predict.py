from thermal_landmarks.commands.predict import main

if __name__ == "__main__":
    main()
